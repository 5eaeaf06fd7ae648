//! The conformance suite of the worker protocol, for whatever speaks it: [`server`] plays workers against a control plane,
//! [`worker`] plays a control plane against a worker. Both know nothing of the other side but its address or its command
//! line, so that they can be held against any of them. [`weather`] and [`storm`] are the same with much of it at once.

pub mod fake_plane;
pub mod fake_worker;
pub mod server;
pub mod storm;
pub mod weather;
pub mod worker;

use std::{fmt, time::Duration};

/// How long something may take that should happen at once, on a machine that has much else to do.
pub const SOON: Duration = Duration::from_secs(20);
/// How long nothing must happen for it to count as not happening.
pub const QUIET: Duration = Duration::from_millis(400);

/// Whether a case holds; if not, why.
pub type Check = Result<(), String>;

/// What became of a case.
#[derive(Debug)]
pub struct Verdict {
    /// Its name.
    pub case: &'static str,
    /// Whether it holds.
    pub check: Check,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.check {
            Ok(()) => write!(f, "ok      {}", self.case),
            Err(why) => write!(f, "FAILED  {}: {why}", self.case),
        }
    }
}

/// Fails a case unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err(format!($($text)+));
        }
    };
}
pub(crate) use ensure;

/// The cases that failed, a line each; empty when all hold.
#[must_use]
pub fn failed(verdicts: &[Verdict]) -> String {
    let failed = verdicts.iter().filter(|verdict| verdict.check.is_err());
    failed.map(|verdict| format!("{verdict}\n")).collect()
}
