//! What the control plane does by itself, apart from dispatch.

pub(crate) mod reaper;
