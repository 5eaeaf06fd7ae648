//! `oz budget set`: changes the limits of a team. What is not named stays.

use crate::error::CliError;
use clap::{ArgGroup, Args};
use oz_client::Client;
use oz_core::api::{Budget, UpdateBudget};

/// Change the limits. They count for what runs use from now on, running ones included.
#[derive(Debug, Default, Args)]
#[command(
    group = ArgGroup::new("limits").required(true).multiple(true)
        .args(["monthly", "no_monthly", "per_run", "no_per_run"]),
    after_help = "Examples:
  oz budget set --monthly 200
  oz budget set --per-run 5 --no-monthly"
)]
pub(crate) struct SetArgs {
    /// The most that all runs together may cost in a calendar month (UTC)
    #[arg(long, value_name = "USD", value_parser = usd, conflicts_with = "no_monthly")]
    monthly: Option<f64>,
    /// No limit for the month
    #[arg(long)]
    no_monthly: bool,
    /// The most that one run may cost
    #[arg(long, value_name = "USD", value_parser = usd, conflicts_with = "no_per_run")]
    per_run: Option<f64>,
    /// No limit for one run
    #[arg(long)]
    no_per_run: bool,
}

/// Reads an amount of US dollars.
fn usd(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(usd) if usd.is_finite() && usd >= 0.0 => Ok(usd),
        _ => Err("expected US dollars, such as 200 or 2.50".to_owned()),
    }
}

pub(super) async fn run(client: &Client, args: &SetArgs) -> Result<Budget, CliError> {
    let before = client.budgets().get().await?;
    Ok(client.budgets().update(&changed(&before, args)).await?)
}

fn changed(before: &Budget, args: &SetArgs) -> UpdateBudget {
    let limit = |none, new: Option<f64>, old| if none { None } else { new.or(old) };
    UpdateBudget {
        monthly_limit_usd: limit(args.no_monthly, args.monthly, before.monthly_limit_usd),
        run_limit_usd: limit(args.no_per_run, args.per_run, before.run_limit_usd),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_stays() {
        let before = Budget { monthly_limit_usd: Some(200.0), run_limit_usd: Some(5.0), ..Budget::default() };
        let limits = |args| {
            let request = changed(&before, &args);
            (request.monthly_limit_usd, request.run_limit_usd)
        };
        assert_eq!(limits(SetArgs { monthly: Some(0.0), ..SetArgs::default() }), (Some(0.0), Some(5.0)));
        assert_eq!(limits(SetArgs { no_monthly: true, ..SetArgs::default() }), (None, Some(5.0)));
        let args = SetArgs { per_run: Some(2.5), no_monthly: true, ..SetArgs::default() };
        assert_eq!(limits(args), (None, Some(2.5)));
        assert_eq!(limits(SetArgs { no_per_run: true, ..SetArgs::default() }), (Some(200.0), None));
    }

    #[test]
    fn dollars_are_finite() {
        assert_eq!((usd("2.50"), usd("0")), (Ok(2.5), Ok(0.0)));
        for text in ["", "$5", "-1", "inf", "NaN", "5 USD"] {
            assert!(usd(text).is_err(), "{text}");
        }
    }
}
