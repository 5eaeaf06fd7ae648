//! How the worker logs in at registries: as the `docker` command does on this machine.

use bollard::auth::DockerCredentials;
use docker_credential::{CredentialRetrievalError, DockerCredential};

/// The name under which Docker keeps the login for its Hub.
const HUB: &str = "https://index.docker.io/v1/";

/// The login for the registry of an image, unless there is none. It may start a program that keeps it.
pub(super) async fn of(image: &str) -> Option<DockerCredentials> {
    let registry = registry(image).to_owned();
    let name = registry.clone();
    let found = tokio::task::spawn_blocking(move || docker_credential::get_credential(&name)).await.ok()?;
    let mut login =
        DockerCredentials { serveraddress: Some(registry.clone()), ..DockerCredentials::default() };
    match found {
        Ok(DockerCredential::IdentityToken(token)) => login.identitytoken = Some(token),
        Ok(DockerCredential::UsernamePassword(user, _)) if user.is_empty() => return None,
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            (login.username, login.password) = (Some(user), Some(password));
        }
        Err(CredentialRetrievalError::NoCredentialConfigured | CredentialRetrievalError::ConfigNotFound) => {
            return None;
        }
        // What a helper printed may hold anything.
        Err(CredentialRetrievalError::HelperFailure { helper, .. }) => {
            tracing::debug!(%registry, "{helper} knows no login; asking without one");
            return None;
        }
        Err(error) => {
            tracing::warn!(%registry, "the login in Docker's configuration can't be used: {error}");
            return None;
        }
    }
    Some(login)
}

/// The registry of an image, as Docker's configuration names it.
fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host == "docker.io" || host == "index.docker.io" => HUB,
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => HUB,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_of_an_image_is_known() {
        for (image, expected) in [
            ("ubuntu", HUB),
            ("ubuntu:22.04", HUB),
            ("library/ubuntu", HUB),
            ("docker.io/library/ubuntu", HUB),
            ("ghcr.io/a/b:1", "ghcr.io"),
            ("localhost/a", "localhost"),
            ("build:5000/a", "build:5000"),
            ("127.0.0.1:5000/a@sha256:00", "127.0.0.1:5000"),
        ] {
            assert_eq!(registry(image), expected, "{image}");
        }
    }
}
