//! Requests about money: what runs used, and how much they may use. One credit is one US cent.

use super::Validate;
use crate::{Error, Timestamp, open::open_enum, usage::Usage};
use serde::{Deserialize, Serialize};

/// How much the runs of a team may cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Budget {
    /// The most US dollars in a calendar month (UTC), over all runs of the team; absent means no limit. What reaches it
    /// ends with `insufficient_credits`.
    pub monthly_limit_usd: Option<f64>,
    /// The most US dollars for one run; absent means no limit. A run's own limit counts where it is smaller. What
    /// reaches it ends with `budget_exceeded`.
    pub run_limit_usd: Option<f64>,
    /// What the team's runs have cost this month, in US dollars.
    pub spent_this_month_usd: f64,
    /// When the month began.
    pub month_began_at: Timestamp,
}

/// Get the budget of the caller's team.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetBudget {}
impl Validate for GetBudget {}

/// Replace the budget of the caller's team. It counts for what runs use from now on, running ones included.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpdateBudget {
    /// The most US dollars in a calendar month; absent means no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly_limit_usd: Option<f64>,
    /// The most US dollars for one run; absent means no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_limit_usd: Option<f64>,
}
impl Validate for UpdateBudget {
    fn validate(&self) -> Result<(), Error> {
        for (field, value) in
            [("monthly_limit_usd", self.monthly_limit_usd), ("run_limit_usd", self.run_limit_usd)]
        {
            if let Some(usd) = value.filter(|usd| !(usd.is_finite() && *usd >= 0.0 && *usd <= 1e9)) {
                return Err(Error::invalid_field(field, &usd.to_string(), "US dollars, 0 or more"));
            }
        }
        Ok(())
    }
}

open_enum! {
    /// What usage is added up by.
    UsageGroup {
        /// The run.
        Run = "run",
        /// The model.
        Model = "model",
        /// The schedule; runs of none count together.
        Schedule = "schedule",
        /// The environment; runs of none count together.
        Environment = "environment",
        /// Who asked for the run.
        Creator = "creator",
        /// The day (UTC).
        Day = "day",
    }
}

/// Add up what the runs of the caller's team used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetUsage {
    /// By what; `model` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<UsageGroup>,
    /// From when; the beginning of the month of `until` when absent. Usage is kept by day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Until when; now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How many rows, 1 to 500, the most expensive first; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}
impl Validate for GetUsage {
    fn validate(&self) -> Result<(), Error> {
        super::check_limit(self.limit, 500)?;
        if let (Some(since), Some(until)) = (self.since, self.until)
            && since > until
        {
            return Err(Error::invalid(format!("since: {since} is after until, {until}")));
        }
        self.group_by.as_ref().map_or(Ok(()), |g| g.require_known("group_by").map(|_| ()))
    }
}

/// What runs used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsageReport {
    /// From when.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// By what it is added up.
    pub group_by: UsageGroup,
    /// All together, also what is not among the rows.
    pub total: UsageRow,
    /// The most expensive first, then those with most tokens; days in their order.
    pub rows: Vec<UsageRow>,
}

/// What some runs used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsageRow {
    /// Which: an id, a model or a day; empty for runs without one and for the total.
    pub key: String,
    /// Its title or name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many runs.
    pub runs: i64,
    /// How many model calls.
    pub calls: i64,
    /// What they used. Calls of models whose price is not known count as nothing in `cost_usd`.
    #[serde(flatten)]
    pub usage: Usage,
}
