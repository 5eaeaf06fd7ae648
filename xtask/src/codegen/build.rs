//! Makes the model: the types that the endpoint table reaches, and what else the client gives and takes.

use super::{
    model::{Model, Noun},
    schema::Reader,
};
use oz_core::{api::ALL, config::AgentConfig, event::Event, harness::HarnessEvent, transcript::LogItem};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

/// Types that no row of the table answers with, but streams and hooks do.
const BESIDE: &[fn(&mut SchemaGenerator) -> schemars::Schema] =
    &[beside::<AgentConfig>, beside::<Event>, beside::<HarnessEvent>, beside::<LogItem>];

fn beside<T: JsonSchema>(generator: &mut SchemaGenerator) -> schemars::Schema {
    generator.subschema_for::<T>()
}

/// The whole model.
///
/// # Errors
/// When a schema has a shape that the model does not know; it names the place.
pub(crate) fn model() -> Result<Model, String> {
    let mut generator = SchemaGenerator::default();
    let rows: Vec<_> = ALL.iter().filter(|row| !row.path.starts_with("/harness-support/")).collect();
    let schemas: Vec<(Value, Value)> = rows
        .iter()
        .map(|row| ((row.request)(&mut generator).to_value(), (row.response)(&mut generator).to_value()))
        .collect();
    let beside: Vec<Value> = BESIDE.iter().map(|schema| schema(&mut generator).to_value()).collect();
    let mut reader = Reader::new(generator.take_definitions(true));
    for (row, (request, response)) in rows.iter().zip(&schemas) {
        let request = reader.read(request, row.id)?;
        reader.mark(&request, true);
        reader.mark_request(row.id);
        let response = reader.read(response, &format!("{}Answer", row.id))?;
        reader.mark(&response, false);
    }
    for schema in &beside {
        let kind = reader.read(schema, "")?;
        reader.mark(&kind, false);
    }
    let nouns: Vec<Noun> = Vec::new();
    Ok(Model { types: reader.types(), nouns })
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
