//! Model services that a team configures.

use oz_core::api::{Empty, ModelEndpoint, ModelEndpointList};

noun! {
    /// Calls about model services.
    ModelEndpoints model_endpoints
}

calls! { ModelEndpoints;
    /// Lists model services.
    list(ListModelEndpoints {}) -> ModelEndpointList;
    /// Makes a model service.
    create(CreateModelEndpoint) -> ModelEndpoint;
    /// Gets the model service with this id.
    get(GetModelEndpoint { uid: String }) -> ModelEndpoint;
    /// Replaces a model service. With a revision, only the one that the caller has seen.
    update(UpdateModelEndpoint) -> ModelEndpoint;
    /// Deletes the model service with this id.
    delete(DeleteModelEndpoint { uid: String }) -> Empty;
}
