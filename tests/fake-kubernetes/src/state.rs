//! What the cluster holds: objects with versions, and the log of their changes that watches read.

use crate::{
    Interruption, Kubelet,
    faults::Fault,
    lists::{list, merge},
    processes::Process,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};
use tokio::sync::watch;

/// The kinds of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Jobs,
    Pods,
    Secrets,
    Events,
}

impl Kind {
    pub(crate) fn of(plural: &str) -> Option<Self> {
        Some(match plural {
            "jobs" => Self::Jobs,
            "pods" => Self::Pods,
            "secrets" => Self::Secrets,
            "events" => Self::Events,
            _ => return None,
        })
    }

    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Pods => "pods",
            Self::Secrets => "secrets",
            Self::Events => "events",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Jobs => "Job",
            Self::Pods => "Pod",
            Self::Secrets => "Secret",
            Self::Events => "Event",
        }
    }

    pub(crate) fn group(self) -> &'static str {
        if self == Self::Jobs { "batch" } else { "" }
    }

    pub(crate) fn api_version(self) -> &'static str {
        if self == Self::Jobs { "batch/v1" } else { "v1" }
    }
}

/// A change, as watches tell it.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) kind: Kind,
    pub(crate) what: &'static str,
    pub(crate) object: Value,
}

pub(crate) struct State {
    pub(crate) version: u64,
    objects: BTreeMap<(Kind, String), Value>,
    pub(crate) changes: Vec<Change>,
    pub(crate) kubelet: Kubelet,
    pub(crate) processes: BTreeMap<String, Process>,
    pub(crate) logs: BTreeMap<String, String>,
    pub(crate) no_pods: Option<String>,
    pub(crate) denied: BTreeSet<String>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) complaints: Vec<String>,
    /// Every call, as method and resource.
    pub(crate) asked: Vec<String>,
}

pub(crate) struct Shared {
    state: Mutex<State>,
    pub(crate) version: watch::Sender<u64>,
    pub(crate) interruption: watch::Sender<(u64, Interruption)>,
}

impl Shared {
    pub(crate) fn new(kubelet: Kubelet) -> Self {
        let state = State {
            version: 1,
            objects: BTreeMap::new(),
            changes: Vec::new(),
            kubelet,
            processes: BTreeMap::new(),
            logs: BTreeMap::new(),
            no_pods: None,
            denied: BTreeSet::new(),
            faults: Vec::new(),
            complaints: Vec::new(),
            asked: Vec::new(),
        };
        let interruption = watch::Sender::new((0, Interruption::None));
        Self { state: Mutex::new(state), version: watch::Sender::new(1), interruption }
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let (value, version) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            (change(&mut state), state.version)
        };
        self.version.send_if_modified(|seen| std::mem::replace(seen, version) != version);
        value
    }
}

pub(crate) fn now() -> Value {
    json!(Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

impl State {
    pub(crate) fn all(&self, kind: Kind) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(move |((k, _), _)| *k == kind).map(|(_, object)| object)
    }

    pub(crate) fn names(&self, kind: Kind) -> Vec<String> {
        self.objects.keys().filter(|(k, _)| *k == kind).map(|(_, name)| name.clone()).collect()
    }

    pub(crate) fn get(&self, kind: Kind, name: &str) -> Option<&Value> {
        self.objects.get(&(kind, name.to_owned()))
    }

    fn log(&mut self, kind: Kind, what: &'static str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.changes.push(Change { version: self.version, kind, what, object: object.clone() });
        object
    }

    /// Stores a new object.
    pub(crate) fn create(&mut self, kind: Kind, mut object: Value) -> Value {
        let uid = format!("00000000-0000-4000-8000-{:012}", self.version);
        merge(
            &mut object,
            &json!({
                "apiVersion": kind.api_version(), "kind": kind.name(),
                "metadata": { "uid": uid, "creationTimestamp": now(), "generation": 1 },
            }),
        );
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let object = self.log(kind, "ADDED", object);
        self.objects.insert((kind, name), object.clone());
        object
    }

    /// Merges a change into an object; nothing happens when it makes no difference.
    pub(crate) fn update(&mut self, kind: Kind, name: &str, change: &Value) -> Option<Value> {
        let before = self.get(kind, name)?;
        let mut after = before.clone();
        merge(&mut after, change);
        if after == *before {
            return Some(after);
        }
        let after = self.log(kind, "MODIFIED", after);
        self.objects.insert((kind, name.to_owned()), after.clone());
        Some(after)
    }

    /// Removes an object for good.
    pub(crate) fn remove(&mut self, kind: Kind, name: &str) {
        if let Some(object) = self.objects.remove(&(kind, name.to_owned())) {
            self.log(kind, "DELETED", object);
        }
    }

    /// Begins to delete an object: dependents go first in the foreground, and containers are asked to end.
    pub(crate) fn delete(&mut self, kind: Kind, name: &str, foreground: bool) {
        let running = kind == Kind::Pods && self.processes.values().any(|process| process.pod == name);
        if running || (kind == Kind::Jobs && foreground) {
            let leaving = self.get(kind, name).is_some_and(|o| !o["metadata"]["deletionTimestamp"].is_null());
            if !leaving {
                self.update(kind, name, &json!({ "metadata": { "deletionTimestamp": now() } }));
                self.stop_pod(kind, name);
            }
        } else {
            self.remove(kind, name);
        }
    }

    fn stop_pod(&mut self, kind: Kind, name: &str) {
        let pod = self.get(kind, name);
        let grace = pod.and_then(|pod| pod["spec"]["terminationGracePeriodSeconds"].as_u64()).unwrap_or(30);
        for process in self.processes.values().filter(|process| kind == Kind::Pods && process.pod == name) {
            process.end(grace);
        }
    }

    pub(crate) fn set_status(&mut self, kind: Kind, prefix: &str, status: &Value) {
        for name in self.names(kind).iter().filter(|name| name.starts_with(prefix)) {
            self.update(kind, name, &json!({ "status": status }));
        }
    }

    pub(crate) fn set_pod_status(&mut self, status: &Value) {
        self.set_status(Kind::Pods, "oz-task-", status);
    }

    pub(crate) fn add_events(&mut self, about: Kind, reason: &str, message: &str) {
        let about: Vec<Value> = self.all(about).cloned().collect();
        for object in about {
            self.add_event(&object, reason, message);
        }
    }

    pub(crate) fn add_event(&mut self, about: &Value, reason: &str, message: &str) {
        let metadata = &about["metadata"];
        let name = metadata["name"].as_str().unwrap_or_default();
        let known =
            |event: &&Value| event["involvedObject"]["uid"] == metadata["uid"] && event["reason"] == reason;
        if self.all(Kind::Events).find(known).is_some() {
            return;
        }
        let event = json!({
            "metadata": { "name": format!("{name}.{}", self.version), "namespace": metadata["namespace"] },
            "involvedObject": { "kind": about["kind"], "name": name, "uid": metadata["uid"], "namespace": metadata["namespace"] },
            "type": "Warning", "reason": reason, "message": message, "lastTimestamp": now(),
        });
        self.create(Kind::Events, event);
    }

    pub(crate) fn lose_pods(&mut self) {
        self.kill_all();
        for pod in self.names(Kind::Pods) {
            self.remove(Kind::Pods, &pod);
        }
    }

    pub(crate) fn kill_all(&mut self) {
        for process in self.processes.values() {
            process.kill();
        }
        self.processes.clear();
    }

    /// The objects that belong to an owner.
    pub(crate) fn dependents(&self, uid: &Value) -> Vec<(Kind, String)> {
        let owned =
            |object: &Value| list(&object["metadata"]["ownerReferences"]).any(|owner| owner["uid"] == *uid);
        self.objects.iter().filter(|(_, object)| owned(object)).map(|(key, _)| key.clone()).collect()
    }

    /// The objects whose owner is gone.
    pub(crate) fn orphans(&self) -> Vec<(Kind, String)> {
        let alive: Vec<&Value> = self.objects.values().map(|object| &object["metadata"]["uid"]).collect();
        let orphaned = |object: &Value| {
            let mut owners = list(&object["metadata"]["ownerReferences"]).peekable();
            owners.peek().is_some() && owners.all(|owner| !alive.contains(&&owner["uid"]))
        };
        self.objects.iter().filter(|(_, object)| orphaned(object)).map(|(key, _)| key.clone()).collect()
    }
}
