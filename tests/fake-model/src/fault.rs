//! What goes wrong while the model answers.

use crate::turn::milliseconds;
use serde::Deserialize;
use std::time::Duration;

/// Writes the enumeration and an example of each variant from one list, so that neither lacks what the other has.
macro_rules! faults {
    ($($(#[$meta:meta])+ $name:ident $(($($field:ty),+))? as $example:expr;)+) => {
        /// What can go wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Fault {
            $($(#[$meta])+ $name $(($($field),+))?,)+
        }

        impl Fault {
            /// One of every kind.
            pub const EACH: &[Self] = &[$($example),+];
        }
    };
}

faults! {
    /// This HTTP status, with `Retry-After: 0`.
    Status(u16) as Self::Status(503);
    /// This HTTP status, with so many seconds in `Retry-After`.
    Busy(u16, u64) as Self::Busy(429, 1);
    /// The conversation is refused because it is too long for the model.
    TooLong as Self::TooLong;
    /// A request with a picture is refused, as by a model that takes none; others are answered.
    NoPictures as Self::NoPictures;
    /// An answer that is not an event stream.
    NotAStream as Self::NotAStream;
    /// Silence for this long before the answer; in files, in milliseconds.
    #[serde(deserialize_with = "milliseconds")]
    Silence(Duration) as Self::Silence(Duration::from_millis(200));
    /// Silence for this long in the middle of the answer; in files, in milliseconds.
    #[serde(deserialize_with = "milliseconds")]
    Stall(Duration) as Self::Stall(Duration::from_millis(200));
    /// The answer ends in the middle of an event, as if that were its end.
    Cut as Self::Cut;
    /// The connection breaks in the middle of an event.
    Reset as Self::Reset;
    /// The service gives up in the middle of the answer and says so in an event.
    Overloaded as Self::Overloaded;
    /// The arguments of the first call are not valid JSON.
    BadArguments as Self::BadArguments;
    /// The model refuses; what it would have said is what it says of that, if anything, and it calls nothing.
    Refused as Self::Refused;
    /// The model says nothing and calls nothing.
    Empty as Self::Empty;
    /// The answer reaches the limit on its length in the middle of its last call, or else of its text.
    Truncated as Self::Truncated;
}
