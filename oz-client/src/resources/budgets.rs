//! Money: budgets, and what runs used.

use oz_core::api::{Budget, UsageReport};

noun! {
    /// Calls about budgets and usage
    Budgets budgets
}

calls! { Budgets;
    /// Gets the budget of the caller's team.
    get(GetBudget {}) -> Budget;
    /// Replaces the budget of the caller's team.
    update(UpdateBudget) -> Budget;
    /// Adds up what runs used.
    usage(GetUsage) -> UsageReport;
}
