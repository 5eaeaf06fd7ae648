//! Makes the model: the methods of the client, and the types that they take and answer with.

use super::{
    model::{Field, Kind, Method, Model, Noun, Ref, Shape},
    schema::{Reader, pascal},
};
use oz_client::method;
use oz_core::{
    config::AgentConfig,
    event::Event,
    harness::{DriverEvent, DriverResult, HarnessEvent, HarnessTask, SavedSession},
    transcript::LogItem,
    worker::{WorkOutcome, WorkTask},
};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

/// Types that no method answers with, but hooks do.
const BESIDE: &[fn(&mut SchemaGenerator) -> schemars::Schema] = &[
    beside::<AgentConfig>,
    beside::<DriverEvent>,
    beside::<DriverResult>,
    beside::<Event>,
    beside::<HarnessEvent>,
    beside::<HarnessTask>,
    beside::<LogItem>,
    beside::<SavedSession>,
    beside::<WorkOutcome>,
    beside::<WorkTask>,
];

fn beside<T: JsonSchema>(generator: &mut SchemaGenerator) -> schemars::Schema {
    generator.subschema_for::<T>()
}

/// The whole model.
///
/// # Errors
/// When a schema has a shape that the model does not know; it names the place.
pub(crate) fn model() -> Result<Model, String> {
    let mut generator = SchemaGenerator::default();
    let mut schemas = Vec::new();
    for method in method::all() {
        let request = (method.request)(&mut generator).to_value();
        schemas.push((request, method.answer.map(|answer| answer(&mut generator).to_value())));
    }
    let beside: Vec<Value> = BESIDE.iter().map(|schema| schema(&mut generator).to_value()).collect();
    let mut reader = Reader::new(generator.take_definitions(true));
    for schema in &beside {
        let kind = reader.read(schema, "")?;
        reader.mark(&kind, false);
    }
    let mut schemas = schemas.iter();
    let mut nouns = Vec::new();
    for noun in method::nouns() {
        let mut methods = Vec::new();
        for (method, (request, answer)) in noun.methods().zip(&mut schemas) {
            methods.push(read(&mut reader, method, request, answer.as_ref())?);
        }
        let (name, type_name, doc) =
            (noun.name.to_owned(), noun.type_name.to_owned(), noun.doc.trim().to_owned());
        nouns.push(Noun { name, type_name, doc, methods });
    }
    Ok(Model { types: reader.types(), nouns })
}

fn read(
    reader: &mut Reader,
    method: &method::Method,
    request: &Value,
    answer: Option<&Value>,
) -> Result<Method, String> {
    let place = format!("{}{}", pascal(method.noun), pascal(method.name));
    let request = reader.read(request, &format!("{place}Request"))?;
    reader.mark(&request, true);
    let Ref::Named(request) = request else { return Err(format!("{place}: its request is no object")) };
    reader.mark_request(&request);
    let answer = answer.map(|answer| reader.read(answer, &format!("{place}Answer"))).transpose()?;
    if let Some(answer) = &answer {
        reader.mark(answer, false);
    }
    let (params, positional) = params(reader, method, &request)?;
    let kind = match method.kind() {
        method::Kind::Call => Kind::Call,
        method::Kind::Stream => Kind::Stream,
        method::Kind::Bytes => Kind::Bytes,
        method::Kind::Upload => Kind::Upload,
    };
    let (name, doc) = (method.name.to_owned(), method.summary());
    Ok(Method { name, doc, kind, params, positional, request, answer })
}

/// What a method takes, and how much of it by position: what Rust takes one by one, or else what the path names.
fn params(reader: &Reader, method: &method::Method, request: &str) -> Result<(Vec<Field>, usize), String> {
    let fields = match reader.get(request).map(|t| &t.shape) {
        Some(Shape::Object(fields)) => fields.clone(),
        _ => return Err(format!("{request}: a request is an object")),
    };
    let in_path: Vec<&str> = method.row().map(|row| row.path_fields().collect()).unwrap_or_default();
    let first = if method.arguments.is_empty() { in_path } else { method.arguments.to_vec() };
    let (mut params, mut rest) = (Vec::new(), fields);
    for name in &first {
        // What does more than one call may know its subject by another name than the path.
        if let Some(at) = rest.iter().position(|field| field.name == *name) {
            params.push(rest.remove(at));
        }
    }
    let positional = params.len();
    params.extend(rest);
    Ok((params, positional))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codegen::model::{Ref, Shape};

    #[test]
    fn the_model_has_the_types_that_callers_meet() {
        let model = model().unwrap();
        let run = model.get("Run").unwrap();
        assert!(run.output && !run.input && !run.request && !run.doc.is_empty());
        let Shape::Object(fields) = &run.shape else { panic!("a run is an object") };
        let field = |name: &str| fields.iter().find(|f| f.name == name).unwrap();
        assert_eq!(field("run_id").kind, Ref::Uuid, "an id is but a text");
        assert!(field("run_id").required && !field("run_id").nullable);
        assert_eq!(field("created_at").kind, Ref::Time);
        assert!(field("agent_config").nullable);
        assert_eq!(field("state").kind, Ref::Named("RunState".to_owned()));
        let Shape::Enum(states) = &model.get("RunState").unwrap().shape else { panic!("states are words") };
        assert_eq!(states, oz_core::RunState::KNOWN);
        let config = model.get("AgentConfig").unwrap();
        assert!(config.input && config.output);
        assert!(model.get("CreateRun").unwrap().request);
        assert!(matches!(model.get("LogItem").unwrap().shape, Shape::Union { .. }));
        assert!(model.get("RunMessage").is_some() && model.get("Message2").is_none());
    }
}
