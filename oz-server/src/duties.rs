//! What the server does without being asked.

pub(crate) mod clerk;
pub(crate) mod reaper;
pub(crate) mod scheduler;
