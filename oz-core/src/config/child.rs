//! What a run may ask for the runs that it starts: never more than it has itself. Pure.

use super::{AgentConfig, HarnessType, Limits, Sandbox};
use crate::{
    Error, ErrorCode,
    egress::intersection,
    permission::{Ask, Verdict, decide},
    worker::InstanceShape,
};

/// The configuration of a child as far as that of its parent goes: of limits the stricter, of hosts those of both, and the
/// permissions of the parent where the child has none.
#[must_use]
pub fn within(mut child: AgentConfig, parent: &AgentConfig) -> AgentConfig {
    child.permissions = match (child.permissions, &parent.permissions) {
        (Some(own), Some(theirs)) => Some(own.within(theirs)),
        (own, theirs) => own.or_else(|| theirs.clone()),
    };
    child.sandbox = match (child.sandbox, &parent.sandbox) {
        (Some(own), Some(theirs)) => Some(sandbox(own, theirs)),
        (own, theirs) => own.or_else(|| theirs.clone()),
    };
    child.limits = match (child.limits, &parent.limits) {
        (Some(own), Some(theirs)) => Some(limits(&own, theirs)),
        (own, theirs) => own.or_else(|| theirs.clone()),
    };
    child.instance_shape = match (child.instance_shape, parent.instance_shape) {
        (Some(own), Some(theirs)) => Some(InstanceShape {
            vcpus: least(own.vcpus, theirs.vcpus),
            memory_gb: least(own.memory_gb, theirs.memory_gb),
        }),
        (own, theirs) => own.or(theirs),
    };
    // What was kept off some workers of a host keeps its children off them, too. Another host has labels of its own.
    if child.host().is_some() && child.host() == parent.host() {
        child.worker_labels.extend(parent.worker_labels.clone());
    }
    child
}

fn sandbox(own: Sandbox, theirs: &Sandbox) -> Sandbox {
    let hosts = match (own.egress_allowlist, &theirs.egress_allowlist) {
        (Some(own), Some(theirs)) => Some(intersection(&own, theirs)),
        (own, theirs) => own.or_else(|| theirs.clone()),
    };
    Sandbox {
        memory_mb: least(own.memory_mb, theirs.memory_mb),
        cpus: least(own.cpus, theirs.cpus),
        max_processes: least(own.max_processes, theirs.max_processes),
        egress_allowlist: hosts,
    }
}

fn limits(own: &Limits, theirs: &Limits) -> Limits {
    Limits {
        max_turns: least(own.max_turns, theirs.max_turns),
        max_tokens: least(own.max_tokens, theirs.max_tokens),
        max_seconds: least(own.max_seconds, theirs.max_seconds),
        max_cost_usd: least(own.max_cost_usd, theirs.max_cost_usd),
    }
}

/// The smaller of two limits, of which any may be absent.
fn least<T: PartialOrd>(own: Option<T>, theirs: Option<T>) -> Option<T> {
    match (own, theirs) {
        (Some(own), Some(theirs)) if theirs < own => Some(theirs),
        (own, theirs) => own.or(theirs),
    }
}

/// Checks that what `child` itself asks to be started, before and beside its agent, is what its parent may start without
/// asking anybody.
///
/// # Errors
/// `not_authorized` that names the field and the program.
pub fn check_programs(child: &AgentConfig, parent: &AgentConfig) -> Result<(), Error> {
    let Some(permissions) = &parent.permissions else { return Ok(()) };
    let setup = child.setup_commands.iter().enumerate();
    let setup = setup.map(|(i, command)| (format!("config.setup_commands[{i}]"), command.clone()));
    let servers =
        child.mcp_servers.iter().filter(|(name, server)| parent.mcp_servers.get(*name) != Some(server));
    let servers = servers.filter_map(|(name, server)| {
        let words = [server.command.as_deref()?].into_iter().chain(server.args.iter().map(String::as_str));
        Some((format!("config.mcp_servers.{name}.command"), line(words)))
    });
    let harness = child.harness.iter().filter(|harness| harness.kind == HarnessType::Command);
    let harness = harness.filter(|_| child.harness != parent.harness).filter_map(|harness| {
        let words = harness.command.as_ref()?.start.iter().map(String::as_str);
        Some(("config.harness.command.start".to_owned(), line(words)))
    });
    for (field, command) in setup.chain(servers).chain(harness) {
        let verdict = decide(permissions, &Ask::Execute { command: command.clone(), risky: false });
        if let Verdict::Ask(why) | Verdict::Deny(why) = verdict {
            let text = format!("{field}: the parent of this run may not start '{command}' by itself: {why}");
            return Err(Error::new(ErrorCode::NotAuthorized, text));
        }
    }
    Ok(())
}

/// Words as a shell would have to read them.
fn line<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let quoted = words.map(|word| {
        match word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./=:,@%+".contains(&b)) {
            true if !word.is_empty() => word.to_owned(),
            _ => format!("'{}'", word.replace('\'', r"'\''")),
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::Allowlist;
    use proptest::{
        collection::{btree_map, vec},
        option,
        prelude::*,
    };
    use serde_json::json;

    fn config() -> impl Strategy<Value = AgentConfig> {
        let hosts = vec(prop_oneof![Just("a.b"), Just("*.b"), Just("c:80"), Just("c")], 0..3);
        let hosts = hosts.prop_map(|hosts| hosts.into_iter().map(str::to_owned).collect::<Vec<_>>());
        let sandbox = (option::of(1..5_u64), option::of(0.1..5.0), option::of(1..5_u64), option::of(hosts));
        let sandbox = sandbox.prop_map(|(memory_mb, cpus, max_processes, egress_allowlist)| Sandbox {
            memory_mb,
            cpus,
            max_processes,
            egress_allowlist,
        });
        let limits = (option::of(1..5_u32), option::of(1..5_u64), option::of(1..5_u64), option::of(0.1..5.0));
        let limits = limits.prop_map(|(max_turns, max_tokens, max_seconds, max_cost_usd)| Limits {
            max_turns,
            max_tokens,
            max_seconds,
            max_cost_usd,
        });
        let shape = (option::of(1..5_i64), option::of(1..5_i64));
        let shape = shape.prop_map(|(vcpus, memory_gb)| InstanceShape { vcpus, memory_gb });
        let label = prop_oneof![Just("1".to_owned()), Just("2".to_owned())];
        let labels = btree_map(prop_oneof![Just("a".to_owned()), Just("b".to_owned())], label, 0..3);
        let host = option::of(prop_oneof![Just("h".to_owned()), Just("i".to_owned())]);
        (option::of(sandbox), option::of(limits), option::of(shape), labels, host).prop_map(
            |(sandbox, limits, instance_shape, worker_labels, worker_host)| AgentConfig {
                sandbox,
                limits,
                instance_shape,
                worker_labels,
                worker_host,
                ..AgentConfig::default()
            },
        )
    }

    /// Whether a limit is held by another.
    fn held<T: PartialOrd>(child: Option<T>, parent: Option<T>) -> bool {
        match (child, parent) {
            (_, None) => true,
            (Some(child), Some(parent)) => child <= parent,
            (None, Some(_)) => false,
        }
    }

    fn reaches(config: &AgentConfig, host: &str, port: u16) -> bool {
        let list = config.sandbox.as_ref().and_then(|sandbox| sandbox.egress_allowlist.as_ref());
        list.is_none_or(|list| Allowlist::of(list).covers(host, port))
    }

    proptest! {
        #[test]
        fn a_child_has_no_more_than_its_parent(child in config(), parent in config()) {
            let both = within(child.clone(), &parent);
            for other in [&child, &parent] {
                let (mine, theirs) =
                    (both.sandbox.clone().unwrap_or_default(), other.sandbox.clone().unwrap_or_default());
                prop_assert!(held(mine.memory_mb, theirs.memory_mb) && held(mine.cpus, theirs.cpus));
                prop_assert!(held(mine.max_processes, theirs.max_processes));
                let (mine, theirs) =
                    (both.limits.clone().unwrap_or_default(), other.limits.clone().unwrap_or_default());
                prop_assert!(held(mine.max_turns, theirs.max_turns) && held(mine.max_tokens, theirs.max_tokens));
                prop_assert!(held(mine.max_seconds, theirs.max_seconds));
                prop_assert!(held(mine.max_cost_usd, theirs.max_cost_usd));
                let (mine, theirs) =
                    (both.instance_shape.unwrap_or_default(), other.instance_shape.unwrap_or_default());
                prop_assert!(held(mine.vcpus, theirs.vcpus) && held(mine.memory_gb, theirs.memory_gb));
                for (host, port) in [("a.b", 80), ("x.b", 80), ("b", 80), ("c", 80), ("c", 443), ("d", 80)] {
                    prop_assert!(!reaches(&both, host, port) || reaches(other, host, port), "{host}:{port}");
                }
            }
            if both.host().is_some() && both.host() == parent.host() {
                prop_assert!(parent.worker_labels.iter().all(|(k, v)| both.worker_labels.get(k) == Some(v)));
            } else {
                prop_assert_eq!(&both.worker_labels, &child.worker_labels);
            }
        }
    }

    #[test]
    fn a_child_starts_nothing_that_its_parent_would_have_to_ask_for() {
        let config = |value: serde_json::Value| -> AgentConfig { serde_json::from_value(value).unwrap() };
        let careful = config(
            json!({ "permissions": { "execute_commands": "always_ask", "command_allowlist": ["npm ci"] },
            "mcp_servers": { "own": { "command": "server" } } }),
        );
        for (child, refused) in [
            (json!({ "setup_commands": ["npm ci"] }), None),
            (json!({ "setup_commands": ["npm ci", "curl x | sh"] }), Some("config.setup_commands[1]: ")),
            (json!({ "mcp_servers": { "own": { "command": "server" } } }), None),
            (
                json!({ "mcp_servers": { "own": { "command": "sh", "args": ["-c", "x"] } } }),
                Some("config.mcp_servers.own"),
            ),
            (json!({ "mcp_servers": { "far": { "url": "https://x" } } }), None),
            (
                json!({ "harness": { "type": "command", "command": { "start": ["sh"] } } }),
                Some("config.harness.command.start: the parent of this run may not start 'sh' by itself"),
            ),
        ] {
            let child = config(child);
            let told = check_programs(&child, &careful).err().map(|e| e.detail);
            assert_eq!(told.is_some(), refused.is_some(), "{told:?}");
            assert!(told.unwrap_or_default().starts_with(refused.unwrap_or_default()));
            assert_eq!(check_programs(&child, &AgentConfig::default()), Ok(()));
        }
    }
}
