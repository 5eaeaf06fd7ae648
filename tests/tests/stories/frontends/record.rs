//! Steps, variables and paths, as the head of the scenario says.

use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fs, path::Path};

/// A scenario.
pub(super) struct Scenario(Value);

impl Scenario {
    pub(super) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        Self(serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
    }

    /// The scenario for runners of other languages.
    pub(super) fn json(&self) -> String {
        self.0.to_string()
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        self.0["steps"].as_array().unwrap().iter().map(Step)
    }
}

/// A step.
pub(super) struct Step<'s>(&'s Value);

impl<'s> Step<'s> {
    pub(super) fn name(&self) -> &'s str {
        self.0["name"].as_str().unwrap()
    }

    pub(super) fn call(&self) -> &'s str {
        self.0["call"].as_str().unwrap()
    }

    pub(super) fn fails(&self) -> bool {
        self.0["fails"] == true
    }

    pub(super) fn take(&self) -> usize {
        self.0["take"].as_u64().map_or(usize::MAX, |n| usize::try_from(n).unwrap())
    }

    pub(super) fn request(&self) -> Value {
        let with = self.0["with"].clone();
        if with.is_null() { json!({}) } else { with }
    }

    /// How the command line does it.
    pub(super) fn cli(&self) -> &'s Value {
        &self.0["cli"]
    }

    /// The paths under `what`, `save` or `record`: those of the command line where it has its own.
    pub(super) fn paths(&self, what: &str, cli: bool) -> BTreeMap<String, String> {
        let own = Some(&self.cli()[what]).filter(|paths| cli && !paths.is_null());
        let paths = own.unwrap_or(&self.0[what]);
        if paths.is_null() { BTreeMap::new() } else { serde_json::from_value(paths.clone()).unwrap() }
    }
}

/// What a runner has seen.
pub(super) struct Seen {
    variables: Map<String, Value>,
    pub(super) records: Vec<Value>,
    cli: bool,
}

impl Seen {
    pub(super) fn new(me: &str, cli: bool) -> Self {
        let variables = [("me".to_owned(), json!(me))].into_iter().collect();
        Self { variables, records: Vec::new(), cli }
    }

    /// Puts down what a step answered.
    pub(super) fn answer(&mut self, step: &Step<'_>, answer: &Value) {
        for (name, path) in step.paths("save", self.cli) {
            let value = at(answer, &path);
            assert!(!value.is_null(), "{}: there is no {path} in {answer}", step.name());
            self.variables.insert(name, value);
        }
        let record = step.paths("record", self.cli);
        let record: Map<String, Value> =
            record.into_iter().map(|(name, path)| (name, self.written(at(answer, &path)))).collect();
        self.records.push(json!({ "step": step.name(), "record": record }));
    }

    /// A value with the variables that its texts name.
    pub(super) fn filled(&self, value: &Value) -> Value {
        let known =
            |name: &str| self.variables.get(name).unwrap_or_else(|| panic!("there is no variable '{name}'"));
        mapped(value.clone(), &|text| {
            let whole = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
            if let Some(name) = whole.filter(|name| !name.contains('$')) {
                return known(name).clone();
            }
            let mut filled = String::new();
            let mut rest = text;
            while let Some((before, after)) = rest.split_once("${") {
                let (name, after) = after.split_once('}').unwrap();
                filled += before;
                filled += known(name).as_str().unwrap();
                rest = after;
            }
            (filled + rest).into()
        })
    }

    /// A value with the names of variables in place of their texts.
    fn written(&self, value: Value) -> Value {
        let texts = self.variables.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
        let mut texts: Vec<_> = texts.filter(|(_, text)| !text.is_empty()).collect();
        texts.sort_by_key(|(_, text)| std::cmp::Reverse(text.len()));
        mapped(value, &|text| {
            let replaced =
                |text: String, (name, found): &(&String, &str)| text.replace(found, &format!("${{{name}}}"));
            texts.iter().fold(text.to_owned(), replaced).into()
        })
    }
}

fn mapped(value: Value, change: &dyn Fn(&str) -> Value) -> Value {
    match value {
        Value::String(text) => change(&text),
        Value::Array(items) => items.into_iter().map(|item| mapped(item, change)).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, mapped(value, change))).collect()
        }
        other => other,
    }
}

/// What is at a path; null when it is not there.
pub(super) fn at(value: &Value, path: &str) -> Value {
    if path == "." {
        return value.clone();
    }
    let (first, rest) = path.split_once('.').unwrap_or((path, "."));
    if let Some(list) = first.strip_suffix("[]") {
        let items = value[list].as_array().into_iter().flatten();
        return items.map(|item| at(item, rest)).filter(|found| !found.is_null()).collect();
    }
    let found = match (value, first.parse::<i64>()) {
        (Value::Array(items), Ok(place)) => {
            let count = i64::try_from(items.len()).unwrap();
            let place = if place < 0 { place + count } else { place };
            usize::try_from(place).ok().and_then(|place| items.get(place))
        }
        _ => value.get(first),
    };
    found.map_or(Value::Null, |found| at(found, rest))
}

/// Of a record, what another one has, too.
pub(super) fn within(all: &Value, some: &Value) -> Value {
    let mut record = all.clone();
    record["record"].as_object_mut().unwrap().retain(|name, _| some["record"].get(name).is_some());
    record
}
