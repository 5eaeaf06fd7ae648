//! What a test lets go wrong.

/// The next calls that fail.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// Method and resource.
    pub(crate) what: String,
    pub(crate) times: u32,
    pub(crate) status: u16,
}

/// What happens to open watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruption {
    /// Nothing.
    None,
    /// The connection breaks.
    Drop,
    /// The server says that it has forgotten what comes next.
    Expire,
    /// All events come once more, from the first.
    Repeat,
}
