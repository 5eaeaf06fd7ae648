//! Requests to the API server, each with a limit in time, and what its refusals mean.

use super::rules::{self, Rule};
use crate::Error;
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec},
        batch::v1::Job,
        core::v1::{Event, Pod},
    },
};
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, ListParams, LogParams, Patch, PatchParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{path::Path, time::Duration};
use tokio::time::timeout;

/// How long a request may take, with all that the client repeats by itself because the server is busy.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const MANAGER: &str = "oz-worker";
const HOST_IN_CLUSTER: &str = "KUBERNETES_SERVICE_HOST";

/// A namespace of a cluster.
#[derive(Clone)]
pub(super) struct Cluster {
    client: Client,
    pub(super) namespace: String,
}

/// Why a request did not work.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Trouble {
    /// The worker lacks a right.
    Forbidden(String),
    /// There is such an object already, or it has changed meanwhile.
    Conflict(String),
    /// There is no such object.
    Missing,
    /// The request will never work.
    Refused(String),
    /// It may work later.
    Unavailable(String),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such object"),
            Self::Forbidden(text) | Self::Conflict(text) | Self::Refused(text) | Self::Unavailable(text) => {
                f.write_str(text)
            }
        }
    }
}

/// How what belongs to a deleted Job goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Propagation {
    /// Before it.
    Foreground,
    /// After it.
    Background,
}

impl Cluster {
    /// Connects to the cluster of a kubeconfig file, or of this process, or of the usual places.
    pub(super) async fn open(kubeconfig: Option<&Path>, namespace: &str) -> Result<Self, Error> {
        let options = KubeConfigOptions::default();
        let mut config = if let Some(path) = kubeconfig {
            let wrong = |error: &dyn std::fmt::Display| {
                Error::Kubernetes(format!("kubeconfig: '{}' can't be used: {error}", path.display()))
            };
            let file = Kubeconfig::read_from(path).map_err(|error| wrong(&error))?;
            kube::Config::from_custom_kubeconfig(file, &options).await.map_err(|error| wrong(&error))?
        } else if std::env::var_os(HOST_IN_CLUSTER).is_some() {
            kube::Config::incluster().map_err(|error| {
                Error::Kubernetes(format!("the service account of this pod can't be used: {error}"))
            })?
        } else {
            kube::Config::from_kubeconfig(&options).await.map_err(|error| {
                let advice = "set kubeconfig in backend.kubernetes, or run the worker inside the cluster";
                Error::Kubernetes(format!("no Kubernetes cluster is configured here: {error}; {advice}"))
            })?
        };
        config.connect_timeout = Some(CONNECT_LIMIT);
        let address = config.cluster_url.to_string();
        let client = Client::try_from(config)
            .map_err(|error| Error::Kubernetes(format!("{address} can't be used: {error}")))?;
        let version = timeout(CONNECT_LIMIT, client.apiserver_version()).await;
        match version {
            Ok(Ok(version)) => {
                tracing::info!(address, version = version.git_version, "connected to Kubernetes");
            }
            Ok(Err(error)) => {
                return Err(Error::Kubernetes(format!(
                    "the API server at {address} does not answer: {error}"
                )));
            }
            Err(_) => {
                return Err(Error::Kubernetes(format!(
                    "the API server at {address} does not answer in time"
                )));
            }
        }
        Ok(Self { client, namespace: namespace.to_owned() })
    }

    pub(super) fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Makes an object; with `dry_run` the server only says whether it would. What the server does not know is refused.
    pub(super) async fn create(&self, rule: Rule, object: &Value, dry_run: bool) -> Result<Value, Trouble> {
        let base =
            if rule.group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{}/v1", rule.group) };
        let dry_run = if dry_run { "&dryRun=All" } else { "" };
        let address = format!(
            "{base}/namespaces/{}/{}?fieldValidation=Strict&fieldManager={MANAGER}{dry_run}",
            self.namespace, rule.resource
        );
        let request = http::Request::post(address)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(object.to_string().into_bytes())
            .map_err(|error| Trouble::Refused(error.to_string()))?;
        self.within(rule, self.client.request(request)).await
    }

    pub(super) async fn job(&self, name: &str) -> Result<Option<Job>, Trouble> {
        self.within(rules::GET_JOBS, self.api().get_opt(name)).await
    }

    /// All Jobs of a worker.
    pub(super) async fn jobs(&self, label: &str) -> Result<Vec<Job>, Trouble> {
        let chosen = ListParams::default().labels(label);
        Ok(self.within(rules::LIST_JOBS, self.api().list(&chosen)).await?.items)
    }

    pub(super) async fn pods(&self, label: &str) -> Result<Vec<Pod>, Trouble> {
        let chosen = ListParams::default().labels(label);
        Ok(self.within(rules::LIST_PODS, self.api().list(&chosen)).await?.items)
    }

    /// The events about an object.
    pub(super) async fn events(&self, uid: &str) -> Result<Vec<Event>, Trouble> {
        let chosen = ListParams::default().fields(&format!("involvedObject.uid={uid}"));
        Ok(self.within(rules::LIST_EVENTS, self.api().list(&chosen)).await?.items)
    }

    pub(super) async fn log(&self, pod: &str, chosen: &LogParams) -> Result<String, Trouble> {
        self.within(rules::GET_LOGS, self.api::<Pod>().logs(pod, chosen)).await
    }

    /// Changes a Job.
    pub(super) async fn change_job(&self, name: &str, change: &Value) -> Result<(), Trouble> {
        let how = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let api = self.api::<Job>();
        self.within(rules::PATCH_JOBS, api.patch(name, &how, &Patch::Merge(change))).await.map(drop)
    }

    /// Deletes a Job; that there is none is well.
    pub(super) async fn delete_job(&self, name: &str, how: Propagation) -> Result<(), Trouble> {
        let how = match how {
            Propagation::Foreground => DeleteParams::foreground(),
            Propagation::Background => DeleteParams::background(),
        };
        match self.within(rules::DELETE_JOBS, self.api::<Job>().delete(name, &how)).await {
            Ok(_) | Err(Trouble::Missing) => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }

    /// Whether the worker has a right, when the server tells.
    pub(super) async fn allows(&self, rule: Rule) -> Option<bool> {
        let attributes = ResourceAttributes {
            group: Some(rule.group.to_owned()),
            resource: Some(rule.resource.to_owned()),
            subresource: Some(rule.subresource.to_owned()).filter(|s| !s.is_empty()),
            verb: Some(rule.verb.to_owned()),
            namespace: Some(self.namespace.clone()),
            ..ResourceAttributes::default()
        };
        let spec =
            SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() };
        let review = SelfSubjectAccessReview { spec, ..Default::default() };
        let reviews: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let answer =
            timeout(REQUEST_LIMIT, reviews.create(&PostParams::default(), &review)).await.ok()?.ok()?;
        Some(answer.status?.allowed)
    }

    async fn within<T>(
        &self,
        rule: Rule,
        request: impl Future<Output = Result<T, kube::Error>> + Send,
    ) -> Result<T, Trouble> {
        match timeout(REQUEST_LIMIT, request).await {
            Ok(result) => result.map_err(|error| self.trouble(rule, error)),
            Err(_) => {
                Err(Trouble::Unavailable("the Kubernetes API server does not answer in time".to_owned()))
            }
        }
    }

    fn trouble(&self, rule: Rule, error: kube::Error) -> Trouble {
        let status = match error {
            kube::Error::Api(status) => status,
            other => {
                return Trouble::Unavailable(format!("the Kubernetes API server can't be asked: {other}"));
            }
        };
        let said = &status.message;
        match status.code {
            403 if is_about(&status, rule) => Trouble::Forbidden(format!(
                "{said}; grant it with the rule {rule} in a Role of namespace '{}'",
                self.namespace
            )),
            401 => Trouble::Forbidden(format!("the Kubernetes API server does not know who asks: {said}")),
            404 => Trouble::Missing,
            409 => Trouble::Conflict(said.clone()),
            429 | 500.. => {
                Trouble::Unavailable(format!("the Kubernetes API server answers {}: {said}", status.code))
            }
            _ => Trouble::Refused(said.clone()),
        }
    }
}

/// Whether a refusal is for want of a right; admission and quotas answer 403, too.
fn is_about(status: &kube::core::Status, rule: Rule) -> bool {
    status.message.contains(" cannot ") && status.message.contains(rule.verb)
}

/// Reads what the server answered.
pub(super) fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

/// The change that lets a Job begin.
pub(super) fn beginning() -> Value {
    json!({ "spec": { "suspend": false } })
}
