//! Logins to cloud providers: short-lived tokens that prove which run asks, in the form that the providers' own programs
//! look for. No long-lived key is involved.

use super::{private::Private, socket::Desk};
use oz_core::{
    Error, ErrorCode, RunId, Timestamp,
    api::{IdentityToken, IssueIdentityToken},
    environment::{AwsProvider, GcpProvider, Providers},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

const AWS_AUDIENCE: &str = "sts.amazonaws.com";
const AWS_TOKEN: &str = "aws-token";
const GCP_CREDENTIALS: &str = "gcp-credentials.json";
/// How long Google's programs wait for a token.
const GCP_PATIENCE: Duration = Duration::from_secs(30);
/// How long a token is asked to be good.
const LIFETIME: i64 = 3600;
/// How often a token is asked for again that could not be had.
const AGAIN: Duration = Duration::from_secs(10);

/// What is prepared; the tokens are renewed as long as it lives.
#[derive(Default)]
pub(super) struct Cloud {
    /// What the providers' programs look for.
    pub(super) variables: BTreeMap<String, String>,
    renewing: Option<AbortOnDropHandle<()>>,
}

/// Where a run is, for logins of it.
pub(super) struct Place<'a> {
    pub(super) run_id: RunId,
    pub(super) desk: Arc<Desk>,
    pub(super) private: &'a Private,
    /// The `oz` program.
    pub(super) oz: &'a Path,
    pub(super) patience: Duration,
}

/// Prepares the logins of `providers`. Answers with what was done, too.
pub(super) async fn set_up(providers: &Providers, place: &Place<'_>) -> Result<(Cloud, String), String> {
    let mut cloud = Cloud::default();
    let mut done = Vec::new();
    if let Some(aws) = &providers.aws {
        let prepared = cloud.aws(aws, place).await;
        prepared.map_err(|e| format!("the login to AWS as '{}' can't be prepared: {e}", aws.role_arn))?;
        done.push(format!("AWS as {}", aws.role_arn));
    }
    if let Some(gcp) = &providers.gcp {
        let pool = &gcp.workload_identity_federation_pool_id;
        let prepared = cloud.gcp(gcp, place);
        prepared.map_err(|e| format!("the login to Google Cloud by '{pool}' can't be prepared: {e}"))?;
        done.push(format!("Google Cloud by {pool}"));
    }
    Ok((cloud, done.join(", ")))
}

impl Cloud {
    async fn aws(&mut self, aws: &AwsProvider, place: &Place<'_>) -> Result<(), Error> {
        let token = first_token(&place.desk, place.patience).await?;
        let unwritten = |e| Error::internal(format!("the token can't be written: {e}"));
        let file = place.private.write(AWS_TOKEN, &token.token).map_err(unwritten)?;
        self.set("AWS_ROLE_ARN", &aws.role_arn);
        self.set("AWS_ROLE_SESSION_NAME", &format!("oz-{}", place.run_id));
        self.set("AWS_WEB_IDENTITY_TOKEN_FILE", &file.to_string_lossy());
        let (desk, directory) = (Arc::clone(&place.desk), place.private.path().to_owned());
        let renewing = async move {
            let mut wait = until_renewal(&token);
            loop {
                sleep(wait).await;
                let renewed = match desk.identity_token(&aws_request()).await {
                    Ok(token) => Private::write_in(&directory, AWS_TOKEN, &token.token)
                        .map(|_| until_renewal(&token))
                        .map_err(|e| Error::internal(e.to_string())),
                    Err(error) => Err(error),
                };
                wait = renewed.unwrap_or_else(|error| {
                    tracing::warn!(%error, "the token for AWS could not be renewed; trying again");
                    AGAIN
                });
            }
        };
        self.renewing = Some(AbortOnDropHandle::new(tokio::spawn(renewing)));
        Ok(())
    }

    fn gcp(&mut self, gcp: &GcpProvider, place: &Place<'_>) -> Result<(), Error> {
        let file =
            place.private.write(GCP_CREDENTIALS, &gcp_credentials(gcp, place.run_id, place.oz).to_string());
        let file = file.map_err(|e| Error::internal(format!("the credentials can't be written: {e}")))?;
        for name in ["GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"] {
            self.set(name, &file.to_string_lossy());
        }
        self.set("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1");
        Ok(())
    }

    fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }
}

fn aws_request() -> IssueIdentityToken {
    IssueIdentityToken {
        audience: AWS_AUDIENCE.to_owned(),
        requested_duration_seconds: Some(LIFETIME),
        // The trust policies of AWS can match on nothing else than the subject.
        subject_template: vec!["scoped_principal".to_owned()],
    }
}

/// Asks until there is a token, nothing to wait for, or no more patience.
async fn first_token(desk: &Desk, patience: Duration) -> Result<IdentityToken, Error> {
    let until = Instant::now() + patience;
    loop {
        match desk.identity_token(&aws_request()).await {
            Err(e) if e.code == ErrorCode::ResourceUnavailable && Instant::now() < until => {
                sleep(Duration::from_millis(500)).await;
            }
            result => return result,
        }
    }
}

/// Half of what a token has left: long before its end, and rarely.
fn until_renewal(token: &IdentityToken) -> Duration {
    let left = token.expires_at.duration_since(Timestamp::now());
    Duration::try_from(left)
        .unwrap_or_default()
        .div_f64(2.0)
        .clamp(Duration::from_secs(1), Duration::from_secs(1800))
}

/// What Google's libraries read: they get a token by calling `oz`.
fn gcp_credentials(gcp: &GcpProvider, run_id: RunId, oz: &Path) -> Value {
    let GcpProvider {
        project_number,
        workload_identity_federation_pool_id: pool,
        workload_identity_federation_provider_id: provider,
        service_account_email,
    } = gcp;
    let mut credentials = json!({
        "type": "external_account",
        "audience": format!(
            "//iam.googleapis.com/projects/{project_number}/locations/global/workloadIdentityPools/{pool}/providers/{provider}"
        ),
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "credential_source": {
            "executable": {
                "command": format!("{} federate issue-gcp-token --run-id {run_id}", oz.display()),
                "timeout_millis": u64::try_from(GCP_PATIENCE.as_millis()).unwrap_or(u64::MAX),
            }
        },
    });
    if let Some(email) = service_account_email.as_ref().filter(|email| !email.is_empty()) {
        credentials["service_account_impersonation_url"] = json!(format!(
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{email}:generateAccessToken"
        ));
    }
    credentials
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_finds_what_it_looks_for() {
        let gcp = GcpProvider {
            project_number: "42".into(),
            workload_identity_federation_pool_id: "pool".into(),
            workload_identity_federation_provider_id: "oz".into(),
            service_account_email: Some("a@b".into()),
        };
        let run_id = "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e".parse().unwrap();
        let file = gcp_credentials(&gcp, run_id, Path::new("/bin/oz"));
        assert_eq!(
            file["audience"],
            "//iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/pool/providers/oz"
        );
        assert_eq!(
            file["credential_source"]["executable"]["command"],
            "/bin/oz federate issue-gcp-token --run-id 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e"
        );
        let url = file["service_account_impersonation_url"].as_str().unwrap();
        assert!(url.ends_with("serviceAccounts/a@b:generateAccessToken"), "{url}");
    }

    #[test]
    fn a_token_is_renewed_when_half_of_its_time_is_over() {
        let token = |seconds: i64| IdentityToken {
            token: "t".into(),
            expires_at: Timestamp::now() + jiff::SignedDuration::from_secs(seconds),
            issuer: "i".into(),
        };
        let wait = until_renewal(&token(600)).as_secs();
        assert!((299..=300).contains(&wait), "{wait}");
        assert_eq!(until_renewal(&token(-5)).as_secs(), 1);
        assert_eq!(until_renewal(&token(1_000_000)).as_secs(), 1800);
    }
}
