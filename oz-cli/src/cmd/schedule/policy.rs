//! When a schedule fires beside its cron expression, and as whom its runs execute.

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser as _},
};
use oz_core::api::{MissedRunPolicy, OverlapPolicy};

/// What `create` and `update` share.
#[derive(Debug, Default, Args)]
pub(super) struct PolicyOptions {
    /// Its time zone, such as Europe/Berlin; UTC unless told otherwise
    #[arg(long, visible_alias = "timezone", value_name = "ZONE")]
    pub(super) time_zone: Option<String>,
    /// When it fires while a run of it is under way: run beside it, pass the time over, or wait until the run is over
    #[arg(long, value_name = "POLICY", value_parser = PossibleValuesParser::new(OverlapPolicy::KNOWN)
        .map(|policy| OverlapPolicy::from(policy.as_str())))]
    pub(super) overlap: Option<OverlapPolicy>,
    /// Times at which no server was there: one run makes up for all of them, or none
    #[arg(long, value_name = "POLICY", value_parser = PossibleValuesParser::new(["run-once", "skip"])
        .map(|policy| MissedRunPolicy::from(policy.replace('-', "_").as_str())))]
    pub(super) missed: Option<MissedRunPolicy>,
    /// The agent that its runs execute as
    #[arg(long, value_name = "UID")]
    pub(super) agent: Option<String>,
}
