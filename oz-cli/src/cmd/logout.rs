//! `oz logout`: forgets the stored address and key.

use super::Outcome;
use crate::{out, settings};

pub(crate) fn run() -> Outcome {
    out::line(if settings::forget()? { "Logged out." } else { "You were not logged in." });
    Ok(true)
}
