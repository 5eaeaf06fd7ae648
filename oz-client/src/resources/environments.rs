//! Environments: what a run finds when it starts.

use oz_core::api::{Empty, Environment, EnvironmentList, ImageList};

noun! {
    /// Calls about environments.
    Environments environments
}

calls! { Environments;
    /// Lists all environments that the caller may see.
    list(ListEnvironments) -> EnvironmentList;
    /// Makes an environment.
    create(CreateEnvironment) -> Environment;
    /// Gets the environment with this id.
    get(GetEnvironment { uid: String }) -> Environment;
    /// Replaces what an environment is made of. With a revision, only the one that the caller has seen.
    update(UpdateEnvironment) -> Environment;
    /// Lists images that environments may use.
    images(ListImages {}) -> ImageList;
    /// Deletes the environment with this id.
    delete(DeleteEnvironment { uid: String }) -> Empty;
}
