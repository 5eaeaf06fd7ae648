//! Agent identities: as whom runs act.

use oz_core::api::{Empty, Identity, IdentityList};

noun! {
    /// Calls about agent identities.
    Identities identities
}

calls! { Identities;
    /// Lists the agent identities of the team.
    list(ListIdentities) -> IdentityList;
    /// Makes an agent identity.
    create(CreateIdentity) -> Identity;
    /// Gets the agent identity with this id.
    get(GetIdentity { uid: String }) -> Identity;
    /// Changes an agent identity.
    update(UpdateIdentity) -> Identity;
    /// Deletes the agent identity with this id and its keys.
    delete(DeleteIdentity { uid: String }) -> Empty;
}
