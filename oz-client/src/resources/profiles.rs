//! Profiles: configurations with a name.

use oz_core::api::{Empty, Profile, ProfileList};

noun! {
    /// Calls about profiles.
    Profiles profiles
}

calls! { Profiles;
    /// Lists profiles.
    list(ListProfiles {}) -> ProfileList;
    /// Makes a profile.
    create(CreateProfile) -> Profile;
    /// Gets the profile with this id.
    get(GetProfile { uid: String }) -> Profile;
    /// Replaces a profile.
    update(UpdateProfile) -> Profile;
    /// Deletes the profile with this id.
    delete(DeleteProfile { uid: String }) -> Empty;
}
