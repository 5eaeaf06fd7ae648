//! Models to choose from.

use oz_core::api::ModelList;

noun! {
    /// Calls about models.
    Models models
}

calls! { Models;
    /// Lists the known models and the one of runs that name none.
    list(ListModels {}) -> ModelList;
}
