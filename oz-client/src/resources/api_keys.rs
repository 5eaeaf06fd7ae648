//! Keys of persons and agents.

use oz_core::api::{ApiKeyCreated, ApiKeyList, Empty};

noun! {
    /// Calls about keys.
    ApiKeys api_keys
}

calls! { ApiKeys;
    /// Lists the caller's own keys and those of the team's agents. They come without their values.
    list(ListApiKeys {}) -> ApiKeyList;
    /// Makes a key. Its value is in the answer, and never again.
    create(CreateApiKey) -> ApiKeyCreated;
    /// Deletes the key with this id; it ends at once.
    delete(DeleteApiKey { uid: String }) -> Empty;
}
