//! Where a run works: on which worker, and in how large a container.

use crate::{
    cli::{pair, unique},
    error::CliError,
};
use clap::Args;
use oz_core::config::AgentConfig;

/// Where runs on workers work.
#[derive(Debug, Clone, Default, Args)]
pub(in crate::cmd) struct PlacementOptions {
    /// The worker to run on
    #[arg(long, value_name = "WORKER_ID")]
    host: Option<String>,
    /// A label that the worker must have, among those of that id; repeatable
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = pair)]
    labels: Vec<(String, String)>,
    /// Processors of the container, on workers that use containers
    #[arg(long, value_name = "N")]
    vcpus: Option<i64>,
    /// Memory of the container, in GiB
    #[arg(long, value_name = "N")]
    memory_gb: Option<i64>,
}

impl PlacementOptions {
    /// Puts what is given over what the configuration has: labels one by one.
    pub(in crate::cmd) fn apply(self, config: &mut AgentConfig) -> Result<(), CliError> {
        config.worker_host = self.host.or(config.worker_host.take());
        config.worker_labels.extend(unique("--label", self.labels)?);
        if self.vcpus.is_some() || self.memory_gb.is_some() {
            let shape = config.instance_shape.get_or_insert_default();
            shape.vcpus = self.vcpus.or(shape.vcpus);
            shape.memory_gb = self.memory_gb.or(shape.memory_gb);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::worker::InstanceShape;

    #[test]
    fn what_is_given_wins() {
        let mut config = AgentConfig {
            worker_host: Some("old".into()),
            worker_labels: [("gpu", "a100"), ("zone", "1")].map(|(k, v)| (k.into(), v.into())).into(),
            instance_shape: Some(InstanceShape { vcpus: Some(2), memory_gb: Some(4) }),
            ..AgentConfig::default()
        };
        let before = config.clone();
        PlacementOptions::default().apply(&mut config).unwrap();
        assert_eq!(config, before);
        let options = PlacementOptions {
            host: Some("new".into()),
            labels: vec![("zone".into(), "2".into())],
            vcpus: None,
            memory_gb: Some(8),
        };
        options.apply(&mut config).unwrap();
        assert_eq!(config.host(), Some("new"));
        assert_eq!(
            config.worker_labels,
            [("gpu", "a100"), ("zone", "2")].map(|(k, v)| (k.into(), v.into())).into()
        );
        assert_eq!(config.instance_shape, Some(InstanceShape { vcpus: Some(2), memory_gb: Some(8) }));
        let twice = vec![("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())];
        let refused = PlacementOptions { labels: twice, ..PlacementOptions::default() }.apply(&mut config);
        assert_eq!(refused.unwrap_err().to_string(), "Error: --label: 'a' is there twice");
    }
}
