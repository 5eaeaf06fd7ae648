//! Tools that a host lends to an agent, such as those that need the control plane.

use super::ActionCategory;
use async_trait::async_trait;
use serde_json::{Map, Value};

/// A tool of the host.
#[async_trait]
pub trait HostTool: Send + Sync {
    /// Its name, of `[a-z_]`.
    fn name(&self) -> &str;

    /// What it does, for the model.
    fn description(&self) -> &str;

    /// The JSON Schema of its arguments, an object.
    fn input_schema(&self) -> Value;

    /// What kind of action it is.
    fn category(&self) -> ActionCategory;

    /// Whether it only reads: then calls of it may be made at once, and it is lent also where nothing may be changed.
    fn only_reads(&self) -> bool {
        false
    }

    /// Does it. Answers with text for the model.
    ///
    /// # Errors
    /// Why not, for the model.
    async fn call(&self, input: Map<String, Value>) -> Result<String, String>;
}
