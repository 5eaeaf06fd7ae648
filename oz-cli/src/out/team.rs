//! Teams, their people and invitations, as people read them.

use super::{
    api_key::who,
    table::{self, Listing, time, utc},
};
use oz_core::api::{Invitation, Team, TeamJoined, TeamMember};

/// A list of members.
pub(crate) const MEMBERS: Listing<TeamMember, 5> = Listing {
    header: ["UID", "NAME", "EMAIL", "ROLE", "TYPE"],
    whole: 1,
    row: |member| {
        let person = &member.principal;
        [
            person.uid.clone(),
            person.display_name.clone().unwrap_or_else(|| "-".to_owned()),
            person.email.clone().unwrap_or_else(|| "-".to_owned()),
            member.role.to_string(),
            person.kind.to_string(),
        ]
    },
    none: "No users found.",
};

/// A list of open invitations.
pub(crate) const INVITATIONS: Listing<Invitation, 5> = Listing {
    header: ["UID", "EMAIL", "ROLE", "CREATED", "EXPIRES"],
    whole: 2,
    row: |invitation| {
        [
            invitation.uid.clone(),
            invitation.email.clone(),
            invitation.role.to_string(),
            time(invitation.created_at),
            time(invitation.expires_at),
        ]
    },
    none: "No open invitations.",
};

/// A team as a card.
pub(crate) fn card(team: &Team) -> String {
    let mut rows =
        vec![("Team", team.uid.clone()), ("Name", team.name.clone()), ("Created", utc(team.created_at))];
    let members = team.members.iter();
    rows.extend(members.map(|member| ("Member", format!("{} ({})", who(&member.principal), member.role))));
    table::card(&rows)
}

/// What somebody got who joined a team.
pub(crate) fn joined(joined: &TeamJoined) -> String {
    table::card(&[
        ("API key", joined.raw_api_key.clone()),
        ("Team", joined.team_uid.clone()),
        ("Name", joined.team_name.clone()),
        ("You are", who(&joined.principal)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;
    use serde_json::{from_value, json};

    #[test]
    fn a_team_and_its_people() {
        let ann = json!({ "type": "user", "uid": "u1", "display_name": "Ann", "email": "ann@example.com",
            "role": "admin" });
        let bot = json!({ "type": "service_account", "uid": "a1", "role": "member" });
        let team = json!({ "uid": "t1", "name": "Platform", "created_at": "2026-03-02T08:00:00Z",
            "members": [ann, bot] });
        let team: Team = from_value(team).unwrap();
        insta::assert_snapshot!(card(&team), @"
        Team        t1
        Name        Platform
        Created     2026-03-02 08:00:00 UTC
        Member      Ann (admin)
        Member      a1 (member)
        ");
        insta::assert_snapshot!(MEMBERS.text(&team.members, Format::Text), @"
        UID	NAME	EMAIL	ROLE	TYPE
        u1	Ann	ann@example.com	admin	user
        a1	-	-	member	service_account
        ");
        let principal = json!({ "type": "user", "uid": "u1" });
        let value = json!({ "team_uid": "t1", "team_name": "Platform", "principal": principal,
            "raw_api_key": "wk-1.x" });
        insta::assert_snapshot!(joined(&from_value(value).unwrap()), @"
        API key     wk-1.x
        Team        t1
        Name        Platform
        You are     u1
        ");
    }

    #[test]
    fn invitations_are_a_table() {
        let value = json!({ "uid": "i1", "email": "bo@example.com", "role": "member",
            "created_at": "2026-03-02T08:00:00Z", "expires_at": "2026-03-09T08:00:00Z" });
        insta::assert_snapshot!(INVITATIONS.text(&[from_value(value).unwrap()], Format::Text), @"
        UID	EMAIL	ROLE	CREATED	EXPIRES
        i1	bo@example.com	member	2026-03-02 08:00:00	2026-03-09 08:00:00
        ");
    }
}
