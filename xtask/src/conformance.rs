//! `cargo xtask conformance`: the suite of the worker protocol, against any control plane or any worker.

use crate::{Outcome, cargo};

/// Runs the suite with these arguments.
pub(crate) fn run(args: &[String]) -> Outcome {
    crate::run(
        cargo(&["run", "--quiet", "--package", "oz-tests", "--bin", "oz-conformance", "--"]).args(args),
    )
}
