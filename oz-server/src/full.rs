//! A full disk: what callers are told, and a log that says it now and then rather than for every request.

use oz_core::{Error, ErrorCode};
use std::{
    fmt, io,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How every such error begins.
const WORDS: &str = "the disk of the control plane is full";
/// How often the log says it.
const PERIOD: Duration = Duration::from_secs(60);

/// What there is no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The database.
    Database,
    /// The files in blob storage.
    Files,
}

/// When the log said it last: of the database, of the files.
static SAID: Mutex<[Option<Instant>; 2]> = Mutex::new([None; 2]);

/// What a caller is told; a word of it goes to the log when it is time again.
pub(crate) fn error(place: Place, cause: &dyn fmt::Display) -> Error {
    let what = match place {
        Place::Database => "the database",
        Place::Files => "the blob storage for files",
    };
    let now = Instant::now();
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    let last = &mut said[place as usize];
    if last.is_none_or(|last| now.duration_since(last) >= PERIOD) {
        *last = Some(now);
        tracing::error!(%cause, "{WORDS}: {what} takes nothing more until there is room");
    }
    let text = format!("{WORDS}: {what} has no room; nothing was stored; try again when there is room");
    Error { status: Some(503), ..Error::new(ErrorCode::ResourceUnavailable, text) }
}

/// Whether an error is one of these: the log has it already.
pub(crate) fn is_said(error: &Error) -> bool {
    error.detail.starts_with(WORDS)
}

/// Whether an error comes from a full disk or an exhausted quota.
pub(crate) fn is_cause(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) {
            return true;
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_found_below_other_errors() {
        let no_room = || io::Error::from(io::ErrorKind::StorageFull);
        let generic = |source| object_store::Error::Generic { store: "x", source: Box::new(source) };
        assert!(is_cause(&no_room()) && is_cause(&generic(no_room())));
        assert!(is_cause(&io::Error::other(generic(no_room()))));
        assert!(!is_cause(&generic(io::Error::from(io::ErrorKind::PermissionDenied))));
    }

    #[test]
    fn callers_are_told_the_place_and_to_come_back() {
        for (place, word) in [(Place::Database, "the database"), (Place::Files, "files")] {
            let error = error(place, &"x");
            assert!(is_said(&error) && error.detail.contains(word), "{error}");
            assert_eq!((error.http_status(), error.problem("/").retryable), (503, Some(true)));
        }
    }
}
