//! `oz budget`: how much runs may cost.

mod set;

use super::Outcome;
use crate::{
    cli::Global,
    connection,
    out::{spending, table::print_one},
};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum BudgetCommand {
    /// Show the limits, and what this month has cost
    #[command(after_help = "Examples:\n  oz budget get\n  oz budget get --output-format json")]
    Get,
    /// Change the limits
    Set(set::SetArgs),
}

pub(crate) async fn run(command: BudgetCommand, global: &Global) -> Outcome {
    let (client, format) = (connection::of(global).client()?, global.output_format);
    let budget = match command {
        BudgetCommand::Get => client.budgets().get().await?,
        BudgetCommand::Set(args) => set::run(&client, &args).await?,
    };
    print_one(&budget, format, |budget| spending::budget(budget, format))?;
    Ok(true)
}
