//! Reads types from JSON schemas. What it meets is what schemars makes of the types in oz-core; anything else is an error
//! that names the place, so that a new shape is noticed when it is added.

use super::model::{Field, Ref, Shape, Type, Variant};
use regex::Regex;
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

/// Two types of one name: what schemars calls the second one, and what it is called here.
const RENAMED: &[(&str, &str)] = &[("Message2", "RunMessage")];

/// Every definition, read on demand.
pub(crate) struct Reader {
    definitions: Map<String, Value>,
    types: BTreeMap<String, Type>,
}

impl Reader {
    /// A reader of these definitions.
    pub(crate) fn new(definitions: Map<String, Value>) -> Self {
        Self { definitions, types: BTreeMap::new() }
    }

    /// What has been read.
    pub(crate) fn types(self) -> Vec<Type> {
        self.types.into_values().collect()
    }

    /// The type of this name, once it has been read.
    pub(crate) fn get(&self, name: &str) -> Option<&Type> {
        self.types.get(name)
    }

    /// Marks a type as the whole request of a call.
    pub(crate) fn mark_request(&mut self, name: &str) {
        if let Some(found) = self.types.get_mut(name) {
            found.request = true;
        }
    }

    /// Marks what a value may hold as what callers send, or else as what the server answers.
    pub(crate) fn mark(&mut self, value: &Ref, input: bool) {
        let mut seen = BTreeSet::new();
        let mut left = vec![value.clone()];
        while let Some(next) = left.pop() {
            let name = match next {
                Ref::List(inner) | Ref::Map(inner) => {
                    left.push(*inner);
                    continue;
                }
                Ref::Named(name) => name,
                Ref::Any | Ref::Bool | Ref::Int | Ref::Float | Ref::Str | Ref::Uuid | Ref::Time => continue,
            };
            let Some(found) = self.types.get_mut(&name).filter(|_| seen.insert(name)) else { continue };
            *(if input { &mut found.input } else { &mut found.output }) = true;
            match &found.shape {
                Shape::Object(fields) => left.extend(fields.iter().map(|f| f.kind.clone())),
                Shape::Union { common, variants, .. } => {
                    let fields = variants.iter().flat_map(|v| &v.fields).chain(common);
                    left.extend(fields.map(|f| f.kind.clone()));
                }
                Shape::Enum(_) => {}
            }
        }
    }

    /// What a schema says. `place` names an object that has no name of its own.
    pub(crate) fn read(&mut self, schema: &Value, place: &str) -> Result<Ref, String> {
        if let Some(name) = schema["$ref"].as_str() {
            return self.defined(name.trim_start_matches("#/$defs/"));
        }
        if let Some(any) = schema["anyOf"].as_array() {
            let [inner] = any.iter().filter(|s| s["type"] != "null").collect::<Vec<_>>()[..] else {
                return Err(format!("{place}: more than one choice besides null"));
            };
            return self.read(inner, place);
        }
        let kind = match &schema["type"] {
            Value::String(kind) => kind.as_str(),
            Value::Array(kinds) => {
                kinds.iter().filter_map(Value::as_str).find(|k| *k != "null").unwrap_or("")
            }
            _ if schema == &Value::Bool(true) => return Ok(Ref::Any),
            _ if schema.as_object().is_some_and(|s| s.keys().all(|key| key == "description")) => {
                return Ok(Ref::Any);
            }
            other => return Err(format!("{place}: the type {other}")),
        };
        match (kind, schema["format"].as_str()) {
            ("string", Some("date-time")) => Ok(Ref::Time),
            ("string", Some("uuid")) => Ok(Ref::Uuid),
            ("string", _) => Ok(Ref::Str),
            ("integer", _) => Ok(Ref::Int),
            ("number", _) => Ok(Ref::Float),
            ("boolean", _) => Ok(Ref::Bool),
            ("array", _) => Ok(Ref::List(Box::new(self.read(&schema["items"], &format!("{place}Item"))?))),
            ("object", _) if schema.get("properties").is_none() => match &schema["additionalProperties"] {
                Value::Null | Value::Bool(_) => Ok(Ref::Map(Box::new(Ref::Any))),
                values => Ok(Ref::Map(Box::new(self.read(values, &format!("{place}Value"))?))),
            },
            ("object", _) => {
                self.make(place, schema)?;
                Ok(Ref::Named(place.to_owned()))
            }
            (other, _) => Err(format!("{place}: the type {other}")),
        }
    }

    /// What a definition says: a type with a name, unless it is but a text or a number.
    fn defined(&mut self, definition: &str) -> Result<Ref, String> {
        let name = RENAMED.iter().find(|(from, _)| *from == definition).map_or(definition, |(_, to)| to);
        if self.types.contains_key(name) {
            return Ok(Ref::Named(name.to_owned()));
        }
        let schema = self.definitions.get(definition).ok_or(format!("{definition} is not defined"))?.clone();
        let plain =
            schema["type"] != "object" && schema.get("enum").is_none() && schema.get("oneOf").is_none();
        if plain {
            return self.read(&schema, name);
        }
        self.make(name, &schema)?;
        Ok(Ref::Named(name.to_owned()))
    }

    fn make(&mut self, name: &str, schema: &Value) -> Result<(), String> {
        if self.types.contains_key(name) {
            return Err(format!("two types are called {name}"));
        }
        let made = |shape| Type {
            name: name.to_owned(),
            doc: doc(schema),
            shape,
            input: false,
            output: false,
            request: false,
        };
        // A type may hold itself.
        self.types.insert(name.to_owned(), made(Shape::Object(Vec::new())));
        let shape = if let Some(values) = schema["enum"].as_array() {
            Shape::Enum(values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        } else if let Some(variants) = schema["oneOf"].as_array() {
            let tag = tag(&variants[0]).ok_or(format!("{name}: a choice without a tag"))?.0.to_owned();
            let common = self.fields(schema, name, &tag)?;
            let variants = variants.iter().map(|v| self.variant(name, &tag, v)).collect::<Result<_, _>>()?;
            Shape::Union { tag, common, variants }
        } else {
            Shape::Object(self.fields(schema, name, "")?)
        };
        self.types.insert(name.to_owned(), made(shape));
        Ok(())
    }

    fn variant(&mut self, union: &str, tag_name: &str, schema: &Value) -> Result<Variant, String> {
        let (_, value) =
            tag(schema).filter(|(t, _)| *t == tag_name).ok_or(format!("{union}: another tag"))?;
        let name = format!("{union}{}", pascal(value));
        let fields = self.fields(schema, &name, tag_name)?;
        Ok(Variant { doc: doc(schema), value: value.to_owned(), fields, name })
    }

    /// The fields of an object other than `except`, required ones first.
    fn fields(&mut self, schema: &Value, owner: &str, except: &str) -> Result<Vec<Field>, String> {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut fields = Vec::new();
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            if name != except {
                let kind = self.read(schema, &format!("{owner}{}", pascal(name)))?;
                let default = match (&schema["default"], &kind) {
                    (Value::Null, Ref::List(_)) => Some(Value::Array(Vec::new())),
                    (Value::Null, Ref::Map(_)) => Some(Value::Object(Map::new())),
                    (Value::Null, _) => None,
                    (value, _) => Some(value.clone()),
                };
                let nullable = may_be_null(schema);
                let required = required.contains(&name.as_str());
                let default = default.filter(|_| !nullable && !required);
                fields.push(Field {
                    name: name.clone(),
                    doc: doc(schema),
                    kind,
                    required,
                    nullable,
                    default,
                });
            }
        }
        fields.sort_by_key(|field| !field.required);
        Ok(fields)
    }
}

/// The field of a variant that tells which one it is, and its value.
fn tag(variant: &Value) -> Option<(&str, &str)> {
    let properties = variant["properties"].as_object()?;
    properties.iter().find_map(|(name, schema)| Some((name.as_str(), schema["const"].as_str()?)))
}

fn may_be_null(schema: &Value) -> bool {
    let lists = [&schema["type"], &schema["anyOf"]];
    lists.into_iter().filter_map(Value::as_array).flatten().any(|s| s == "null" || s["type"] == "null")
}

/// What a schema says of itself, without links to items of Rust, which lead nowhere in other languages.
fn doc(schema: &Value) -> String {
    static LINK: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\[(`[^`]+`)\](?:\([a-zA-Z_:]+(?:\(\))?\))?").ok());
    let text = schema["description"].as_str().unwrap_or_default().trim();
    LINK.as_ref().map_or_else(|| text.to_owned(), |link| link.replace_all(text, "$1").into_owned())
}

/// `PULL_REQUEST` and `pull_request` as `PullRequest`.
pub(crate) fn pascal(name: &str) -> String {
    let words = name.split(['_', '-']).filter(|word| !word.is_empty());
    let whole = |word: &str| {
        let (first, rest) = word.split_at(1);
        let shouted = word.chars().all(|c| !c.is_lowercase());
        first.to_uppercase() + &(if shouted { rest.to_lowercase() } else { rest.to_owned() })
    };
    words.map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_union_has_a_type_for_each_variant_and_keeps_what_all_have() {
        let definitions = json!({ "Item": {
            "description": "One.", "properties": { "at": { "type": "string", "format": "date-time" } }, "required": ["at"],
            "oneOf": [{ "description": "A link.", "required": ["kind", "data"], "properties": {
                "kind": { "const": "PULL_REQUEST" },
                "data": { "type": "object", "properties": { "urls": { "type": "array", "items": { "type": "string" } } } },
            } }],
        } });
        let Value::Object(definitions) = definitions else { unreachable!() };
        let mut reader = Reader::new(definitions);
        let item = reader.read(&json!({ "$ref": "#/$defs/Item" }), "").unwrap();
        reader.mark(&item, false);
        let Some(Type { shape: Shape::Union { tag, common, variants }, output: true, input: false, .. }) =
            reader.get("Item")
        else {
            panic!("not a union")
        };
        assert_eq!((tag.as_str(), common[0].kind.clone()), ("kind", Ref::Time));
        assert_eq!((variants[0].name.as_str(), variants[0].doc.as_str()), ("ItemPullRequest", "A link."));
        assert_eq!(variants[0].fields[0].kind, Ref::Named("ItemPullRequestData".to_owned()));
        let Shape::Object(fields) = &reader.get("ItemPullRequestData").unwrap().shape else {
            panic!("not an object")
        };
        assert_eq!(fields[0].default, Some(json!([])), "a list that may be left out is empty then");
        assert!(reader.get("ItemPullRequestData").unwrap().output);
    }

    #[test]
    fn what_has_no_shape_here_is_told() {
        let mut reader = Reader::new(Map::new());
        let two = json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }] });
        assert!(reader.read(&two, "Place").unwrap_err().starts_with("Place: more than one"));
        assert!(reader.read(&json!({ "type": "tuple" }), "Place").unwrap_err().contains("tuple"));
        assert!(reader.read(&json!({ "$ref": "#/$defs/Gone" }), "").unwrap_err().contains("Gone"));
    }

    #[test]
    fn links_to_items_of_rust_are_left_out() {
        let text = "A [`Run`], see [`wait`](Client::wait) and [the docs](https://example.com).";
        let said = doc(&json!({ "description": text }));
        assert_eq!(said, "A `Run`, see `wait` and [the docs](https://example.com).");
    }

    #[test]
    fn names_of_types_are_in_pascal_case() {
        assert_eq!(pascal("PULL_REQUEST"), "PullRequest");
        assert_eq!(pascal("action_result"), "ActionResult");
        assert_eq!(pascal("apiKey"), "ApiKey");
    }
}
