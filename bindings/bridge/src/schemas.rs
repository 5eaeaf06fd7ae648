//! What the types of the hooks look like, for tests that hold what other languages declare against it.

use crate::{
    HarnessTask, LocalEvent, LocalOptions, LocalResult, ServeOptions, WorkOptions, WorkOutcome, WorkTask,
};
use schemars::SchemaGenerator;
use serde_json::Value;

/// The schemas of the types that hooks and what runs in this process take and give, by name.
#[must_use]
pub fn schemas() -> Value {
    let mut generator = SchemaGenerator::default();
    generator.subschema_for::<HarnessTask>();
    generator.subschema_for::<LocalEvent>();
    generator.subschema_for::<LocalOptions>();
    generator.subschema_for::<LocalResult>();
    generator.subschema_for::<ServeOptions>();
    generator.subschema_for::<WorkOptions>();
    generator.subschema_for::<WorkOutcome>();
    generator.subschema_for::<WorkTask>();
    Value::Object(generator.take_definitions(true))
}
