//! What the options of what runs in this process look like, for tests that hold what other languages declare against it.

use crate::{LocalOptions, ServeOptions, WorkOptions};
use schemars::SchemaGenerator;
use serde_json::Value;

/// The schemas of the options, by name.
#[must_use]
pub fn schemas() -> Value {
    let mut generator = SchemaGenerator::default();
    generator.subschema_for::<LocalOptions>();
    generator.subschema_for::<ServeOptions>();
    generator.subschema_for::<WorkOptions>();
    Value::Object(generator.take_definitions(true))
}
