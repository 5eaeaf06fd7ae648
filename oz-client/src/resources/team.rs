//! The caller's team: its people and who is invited to it.

use oz_core::api::{Empty, InvitationCreated, InvitationList, Role, Team, TeamJoined, TeamMember, UserList};

noun! {
    /// Calls about the caller's team, its people and invitations to it.
    Teams team
}

calls! { Teams;
    /// Gets the caller's team.
    get(GetTeam {}) -> Team;
    /// Gives the caller's team another name.
    rename(UpdateTeam { name: String }) -> Team;
    /// Makes another team with this name, with the caller as its admin. The caller's key for it is in the answer, and
    /// never again.
    create(CreateTeam { name: String }) -> TeamJoined;
    /// Lists the people of the team.
    users(ListUsers {}) -> UserList;
    /// Changes the role of the person with this id.
    update_user(UpdateUser { uid: String, role: Role }) -> TeamMember;
    /// Removes the person with this id from the team; its keys for the team end at once.
    remove_user(RemoveUser { uid: String }) -> Empty;
    /// Invites a person to the team. The code that it needs is in the answer, and never again.
    invite(CreateInvitation) -> InvitationCreated;
    /// Lists open invitations.
    invitations(ListInvitations {}) -> InvitationList;
    /// Withdraws the invitation with this id.
    withdraw_invitation(DeleteInvitation { uid: String }) -> Empty;
    /// Accepts an invitation: makes the person and its first key, which is in the answer, and never again. Needs no
    /// key.
    accept_invitation(AcceptInvitation) -> TeamJoined;
}
