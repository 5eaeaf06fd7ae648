//! How the operator's PodSpec and what a run needs become one PodSpec. Nothing of the template is lost but what a run
//! can't do without.

use serde_json::{Map, Value, json};

/// The container in which the agent works.
pub(super) const TASK: &str = "task";
/// How long a pod has to end after it was asked, unless something else was said; the agent needs no more.
const GRACE_SECONDS: u32 = 10;

/// What a run needs of its pod.
#[derive(Debug, Clone, Default)]
pub(super) struct Needs {
    pub(super) init_containers: Vec<Value>,
    pub(super) volumes: Vec<Value>,
    /// The container `task`.
    pub(super) task: Map<String, Value>,
}

/// The PodSpec of a run.
pub(super) fn pod_spec(template: &Map<String, Value>, needs: Needs) -> Value {
    let mut spec = template.clone();
    spec.insert("restartPolicy".to_owned(), json!("Never"));
    // A teardown command may use all the time that a pod has by default.
    if !needs.task.contains_key("lifecycle") {
        spec.entry("terminationGracePeriodSeconds").or_insert(json!(GRACE_SECONDS));
    }
    let init = needs.init_containers.into_iter().chain(list(template, "initContainers")).collect();
    put(&mut spec, "initContainers", init);
    put(&mut spec, "volumes", list(template, "volumes").chain(needs.volumes).collect());
    let mut task = Some(needs.task);
    let mut containers: Vec<Value> = Vec::new();
    for container in list(template, "containers") {
        containers.push(match (container, &task) {
            (Value::Object(theirs), Some(_)) if theirs.get("name") == Some(&json!(TASK)) => {
                Value::Object(container_of(theirs, task.take().unwrap_or_default()))
            }
            (other, _) => other,
        });
    }
    containers.extend(task.map(Value::Object));
    put(&mut spec, "containers", containers);
    Value::Object(spec)
}

/// The template's container `task` with what the run needs.
fn container_of(mut theirs: Map<String, Value>, ours: Map<String, Value>) -> Map<String, Value> {
    for (name, value) in ours {
        let merged = match name.as_str() {
            "imagePullPolicy" if theirs.contains_key(&name) => continue,
            "volumeMounts" => Value::Array(list(&theirs, &name).chain(elements(value)).collect()),
            "env" => Value::Array(environment(list(&theirs, &name), elements(value).collect())),
            "resources" => resources(theirs.get(&name).cloned().unwrap_or(json!({})), value),
            _ => value,
        };
        theirs.insert(name, merged);
    }
    theirs
}

/// The run's variables come first, so that those of the template can refer to them.
fn environment(theirs: impl Iterator<Item = Value>, mut ours: Vec<Value>) -> Vec<Value> {
    let others: Vec<Value> =
        theirs.filter(|entry| !ours.iter().any(|own| own.get("name") == entry.get("name"))).collect();
    ours.extend(others);
    ours
}

fn resources(mut theirs: Value, ours: Value) -> Value {
    let Value::Object(groups) = ours else { return theirs };
    for (group, amounts) in groups {
        let Value::Object(amounts) = amounts else { continue };
        for (name, amount) in amounts {
            theirs[&group][name] = amount;
        }
    }
    theirs
}

fn list(of: &Map<String, Value>, name: &str) -> impl Iterator<Item = Value> + use<> {
    elements(of.get(name).cloned().unwrap_or_default())
}

fn elements(value: Value) -> std::vec::IntoIter<Value> {
    match value {
        Value::Array(elements) => elements.into_iter(),
        _ => Vec::new().into_iter(),
    }
}

fn put(spec: &mut Map<String, Value>, name: &str, elements: Vec<Value>) {
    if !elements.is_empty() {
        spec.insert(name.to_owned(), Value::Array(elements));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn needs() -> Needs {
        Needs {
            init_containers: vec![json!({ "name": "copy-sidecar-0" })],
            volumes: vec![json!({ "name": "workspace", "emptyDir": {} })],
            task: object(
                &json!({ "name": "task", "image": "i", "imagePullPolicy": "IfNotPresent", "command": ["c"],
                "args": ["a"], "workingDir": "/workspace", "env": [{ "name": "A", "value": "ours" }],
                "volumeMounts": [{ "name": "workspace", "mountPath": "/workspace" }],
                "resources": { "limits": { "cpu": "2" } } }),
            ),
        }
    }

    #[test]
    fn the_container_task_of_a_template_is_kept() {
        let template = json!({
            "serviceAccountName": "agents", "restartPolicy": "Always", "terminationGracePeriodSeconds": 60,
            "initContainers": [{ "name": "theirs", "image": "x" }],
            "volumes": [{ "name": "cache", "emptyDir": {} }],
            "containers": [
                { "name": "proxy", "image": "p" },
                { "name": "task", "image": "replaced", "command": ["replaced"], "imagePullPolicy": "Always",
                  "securityContext": { "runAsUser": 1000 },
                  "env": [{ "name": "B", "value": "theirs" }, { "name": "A", "value": "theirs" }],
                  "volumeMounts": [{ "name": "cache", "mountPath": "/cache" }],
                  "resources": { "limits": { "cpu": "8", "memory": "4Gi" }, "requests": { "cpu": "1" } } },
            ],
        });
        insta::assert_json_snapshot!(pod_spec(&object(&template), needs()));
    }

    #[test]
    fn a_template_without_the_container_gets_one() {
        let spec = pod_spec(&object(&json!({ "containers": [{ "name": "proxy" }] })), needs());
        assert_eq!(spec["containers"][0], json!({ "name": "proxy" }));
        assert_eq!(spec["containers"][1], Value::Object(needs().task));
        assert_eq!(spec["terminationGracePeriodSeconds"], 10);
        let mut torn_down = needs();
        torn_down.task.insert("lifecycle".to_owned(), json!({}));
        assert_eq!(pod_spec(&Map::new(), torn_down).get("terminationGracePeriodSeconds"), None);
    }

    /// Every leaf of `part` is in `whole`, elements of lists in any place.
    fn holds(whole: &Value, part: &Value) -> bool {
        match (whole, part) {
            (Value::Object(whole), Value::Object(part)) => {
                part.iter().all(|(name, value)| whole.get(name).is_some_and(|other| holds(other, value)))
            }
            (Value::Array(whole), Value::Array(part)) => {
                part.iter().all(|value| whole.iter().any(|other| holds(other, value)))
            }
            _ => whole == part,
        }
    }

    prop_compose! {
        fn template()(
            fields in proptest::collection::btree_map("[a-z]{1,8}", "[a-z]{0,4}", 0..4),
            of_task in proptest::collection::btree_map("x[a-z]{1,8}", "[a-z]{0,4}", 0..4),
            names in proptest::collection::vec("[B-Z]{1,3}", 0..4),
            volumes in proptest::collection::vec("v[a-z]{1,8}", 0..4),
            others in proptest::collection::vec("c[a-z]{1,8}", 0..3),
            memory in proptest::option::of("[1-9]Gi"),
            with_task in any::<bool>(),
        ) -> Map<String, Value> {
            let mut spec: Map<String, Value> = fields.into_iter().map(|(name, value)| (name, json!(value))).collect();
            let named = |names: &[String]| names.iter().map(|name| json!({ "name": name, "x": 1 })).collect::<Vec<_>>();
            spec.insert("volumes".to_owned(), json!(named(&volumes)));
            spec.insert("initContainers".to_owned(), json!(named(&others)));
            let mut containers = named(&others);
            if with_task {
                let mut task: Map<String, Value> = of_task.into_iter().map(|(name, value)| (name, json!(value))).collect();
                task.extend(object(&json!({ "name": TASK, "env": named(&names), "volumeMounts": named(&volumes) })));
                if let Some(memory) = memory {
                    task.insert("resources".to_owned(), json!({ "limits": { "memory": memory } }));
                }
                containers.push(Value::Object(task));
            }
            spec.insert("containers".to_owned(), json!(containers));
            spec
        }
    }

    proptest! {
        #[test]
        fn nothing_of_a_template_is_lost(template in template()) {
            let spec = pod_spec(&template, needs());
            prop_assert!(holds(&spec, &Value::Object(template.clone())), "{spec}");
            let Needs { init_containers, volumes, mut task } = needs();
            task.remove("imagePullPolicy");
            let ours = json!({ "initContainers": init_containers, "volumes": volumes, "containers": [task] });
            prop_assert!(holds(&spec, &ours), "{spec}");
            let tasks = spec["containers"].as_array().unwrap().iter().filter(|c| c["name"] == TASK).count();
            prop_assert_eq!(tasks, 1);
        }
    }
}
