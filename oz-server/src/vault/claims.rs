//! What an identity token says of a run.

use oz_core::{
    Error, Run,
    principal::PrincipalType,
    run::{AgentSkill, ExecutionLocation},
};
use serde_json::{Map, Value, json};

/// What is known of a run. What it does not have is empty, so that who maps claims always finds them.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    team: String,
    /// `user:UID` or `service_account:UID`.
    principal: String,
    email: Option<String>,
    run_id: String,
    environment: String,
    agent_name: String,
    skill_spec: String,
    host: String,
}

/// Where the control plane's own workers run.
const OWN_HOST: &str = "warp";

impl Claims {
    /// Every claim that a token may have.
    pub(crate) const NAMES: &[&str] = &[
        "iss",
        "aud",
        "sub",
        "email",
        "teams",
        "run_id",
        "environment",
        "agent_name",
        "skill_spec",
        "host",
        "iat",
        "nbf",
        "exp",
        "jti",
    ];

    /// The claims of a run of a team.
    pub(crate) fn of(run: &Run, team_id: &str) -> Result<Self, Error> {
        let executor = run.executor.as_ref().ok_or_else(|| Error::internal("the run executes as nobody"))?;
        let config = run.agent_config.clone().unwrap_or_default();
        let kind = executor.kind.as_str();
        let skill_spec = config.skill_spec.clone().unwrap_or_default();
        let agent_name = AgentSkill::of_spec(&skill_spec).name.unwrap_or_default();
        let host = if run.execution_location == Some(ExecutionLocation::Local) {
            "local"
        } else {
            config.host().unwrap_or(OWN_HOST)
        };
        Ok(Self {
            team: team_id.to_owned(),
            principal: format!("{kind}:{}", executor.uid),
            email: executor.email.clone().filter(|_| executor.kind == PrincipalType::User),
            run_id: run.run_id.to_string(),
            host: host.to_owned(),
            environment: config.environment_id.unwrap_or_default(),
            agent_name,
            skill_spec,
        })
    }

    /// What the run is, beside what every token says of itself.
    pub(crate) fn all(&self) -> Map<String, Value> {
        let mut all = Map::from_iter([
            ("teams".to_owned(), json!([self.team])),
            ("run_id".to_owned(), json!(self.run_id)),
            ("environment".to_owned(), json!(self.environment)),
            ("agent_name".to_owned(), json!(self.agent_name)),
            ("skill_spec".to_owned(), json!(self.skill_spec)),
            ("host".to_owned(), json!(self.host)),
        ]);
        all.extend(self.email.as_ref().map(|email| ("email".to_owned(), json!(email))));
        all
    }

    /// The subject that a template makes. Trust policies match on it as text, so no value may look like a part: a colon
    /// in one is written `%3A`.
    pub(crate) fn subject(&self, template: &[String]) -> Result<String, Error> {
        let whole: Vec<&str> = template.iter().map(String::as_str).collect();
        if matches!(whole[..], [] | ["principal"]) {
            return Ok(self.principal.clone());
        }
        let parts: Vec<String> =
            whole.iter().enumerate().map(|(i, name)| self.part(i, name)).collect::<Result<_, _>>()?;
        Ok(parts.join(":"))
    }

    fn part(&self, at: usize, name: &str) -> Result<String, Error> {
        let field = format!("subject_template[{at}]");
        let value = match name {
            "principal" => return Ok(format!("principal:{}", self.principal)),
            "scoped_principal" => return Ok(format!("scoped_principal:{}/{}", self.team, self.principal)),
            "email" => self.email.as_deref().unwrap_or_default(),
            "teams" => &self.team,
            "environment" => &self.environment,
            "agent_name" => &self.agent_name,
            "skill_spec" => &self.skill_spec,
            "run_id" => &self.run_id,
            "host" => &self.host,
            other => {
                let expected = "principal, scoped_principal, email, teams, environment, agent_name, skill_spec, run_id \
                                or host";
                return Err(Error::invalid_field(&field, other, expected));
            }
        };
        if value.is_empty() {
            return Err(Error::invalid_field(&field, name, "something that this run has"));
        }
        Ok(format!("{name}:{}", value.replace('%', "%25").replace(':', "%3A")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            team: "t1".into(),
            principal: "user:u1".into(),
            email: Some("ann@example.com".into()),
            run_id: "r1".into(),
            environment: "e1".into(),
            agent_name: "x:environment:e2".into(),
            skill_spec: String::new(),
            host: "warp".into(),
        }
    }

    #[test]
    fn a_subject_is_made_by_its_template() {
        for (template, expected) in [
            (&[][..], "user:u1"),
            (&["principal"], "user:u1"),
            (&["scoped_principal"], "scoped_principal:t1/user:u1"),
            (&["email"], "email:ann@example.com"),
            (&["teams", "host"], "teams:t1:host:warp"),
            (&["principal", "run_id"], "principal:user:u1:run_id:r1"),
            // A skill's name is its author's to choose; it must not read as an environment.
            (&["environment", "agent_name"], "environment:e1:agent_name:x%3Aenvironment%3Ae2"),
        ] {
            let template: Vec<String> = template.iter().map(|part| (*part).to_owned()).collect();
            assert_eq!(claims().subject(&template).unwrap(), expected);
        }
    }

    #[test]
    fn a_part_that_is_unknown_or_empty_is_named() {
        for (part, expected) in
            [("colour", "subject_template[1]: 'colour'"), ("skill_spec", "'skill_spec'"), ("", "''")]
        {
            let error = claims().subject(&["host".into(), part.into()]).unwrap_err();
            assert_eq!(error.http_status(), 400);
            assert!(error.detail.contains(expected), "{}", error.detail);
        }
    }
}
