//! What is open to the commands of a run beside their own environment: the driver's socket, with git logins and identity
//! tokens, and the logins to cloud providers. All of it closes with the run.

use super::{
    cloud::{self, Cloud, Place},
    end::End,
    keys::Keys,
    private::Private,
    session::{Session, Surroundings},
    socket::{Desk, Socket},
};
use oz_core::{config::AgentConfig, env};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Open as long as it lives. The directory goes last.
pub(super) struct Doors {
    _cloud: Cloud,
    _socket: Socket,
    _private: Private,
}

impl Session<'_> {
    /// Tells which secrets the run got and which it did not, by their names.
    pub(super) async fn tell_of_secrets(&mut self, keys: &Keys, took: Duration) {
        let (given, missing) = (keys.given().join(", "), keys.missing.join(", "));
        let detail = match (given.as_str(), missing.as_str()) {
            ("", "") => return,
            (given, "") => format!("given: {given}"),
            ("", missing) => format!("missing: {missing}"),
            (given, missing) => format!("given: {given}; missing: {missing}"),
        };
        self.tell_stage("setup_secrets", missing.is_empty(), took, detail).await;
    }

    /// Opens what this run needs, and tells its commands in `env`.
    pub(super) async fn open_doors(
        &mut self,
        config: &AgentConfig,
        surroundings: &Surroundings,
        env: &mut BTreeMap<String, String>,
    ) -> Result<Option<Doors>, End> {
        let Surroundings { keys, oz, patience, .. } = surroundings;
        let record = self.record.as_ref().map(|(run_id, client, _)| (*run_id, client.clone()));
        if record.is_none() && keys.logins.0.is_empty() {
            return Ok(None);
        }
        let closed = |e| End::unprepared(format!("the private directory of the run can't be made: {e}"));
        let private = Private::open().map_err(closed)?;
        let desk = Arc::new(Desk {
            logins: keys.logins.clone(),
            client: record.as_ref().map(|(_, client)| client.clone()),
            redactor: self.redactor.clone(),
        });
        let socket = Socket::open(private.path(), Arc::clone(&desk)).map_err(closed)?;
        env.insert(env::GIT_SOCKET.to_owned(), socket.path.to_string_lossy().into_owned());
        keys.logins.configure(env, oz);
        let mut cloud = Cloud::default();
        if let (Some(providers), Some((run_id, _))) = (&config.providers, record) {
            let place = Place { run_id, desk, private: &private, oz, patience: *patience };
            let preparing = async { cloud::set_up(providers, &place).await.map_err(End::unprepared) };
            cloud = self.stage("setup_cloud_provider_setup", preparing).await?;
            env.extend(cloud.variables.clone());
        }
        Ok(Some(Doors { _cloud: cloud, _socket: socket, _private: private }))
    }
}
