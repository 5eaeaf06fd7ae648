//! Runners: what runs compute on.

use oz_core::api::{Empty, Runner, RunnerList};

noun! {
    /// Calls about runners.
    Runners runners
}

calls! { Runners;
    /// Lists runners.
    list(ListRunners {}) -> RunnerList;
    /// Makes a runner.
    create(CreateRunner) -> Runner;
    /// Gets the runner with this id.
    get(GetRunner { uid: String }) -> Runner;
    /// Replaces a runner. With a revision, only the one that the caller has seen.
    update(UpdateRunner) -> Runner;
    /// Deletes the runner with this id.
    delete(DeleteRunner { uid: String }) -> Empty;
}
