//! `oz`.

use std::process::ExitCode;

/// The store's writer allocates and frees the same few megabytes with every commit; the system's allocator gives them back
/// to the kernel each time, which halves the number of runs per second.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    oz_cli::oz()
}
