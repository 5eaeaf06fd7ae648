//! What signals mean to the processes that this one starts.

use std::fs;
use tokio::signal::unix::{SignalKind, signal};

/// Lets the commands that are started from now on hear Ctrl-C and Ctrl-\\ also where this process was told to ignore
/// them, as shells tell those that they start with `&`. An ignored signal stays ignored in every child; one that is
/// listened to does not. Here nothing changes by it: nobody waits for what is heard.
pub(crate) fn unignore() {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for kind in [SignalKind::interrupt(), SignalKind::quit()] {
        if is_ignored(&status, kind.as_raw_value())
            && let Err(error) = signal(kind)
        {
            tracing::warn!(%error, ?kind, "the commands of the agent ignore this signal");
        }
    }
}

/// Whether the kernel's account of a process says that it ignores a signal.
fn is_ignored(status: &str, number: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    u32::try_from(number - 1).is_ok_and(|bit| mask.checked_shr(bit).is_some_and(|rest| rest & 1 == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_the_kernel_is_understood() {
        let status = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000001006\nSigCgt:\t00000001\n";
        let ignored: Vec<i32> = (1..=64).filter(|number| is_ignored(status, *number)).collect();
        assert_eq!(ignored, [2, 3, 13]);
        assert!(!is_ignored("", 2) && !is_ignored("SigIgn:\tx", 2) && !is_ignored(status, 0));
    }
}
