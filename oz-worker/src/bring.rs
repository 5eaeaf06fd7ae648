//! Brings this program into a container whose image does not have it.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

const NAME: &str = "oz";
const USAGE: u8 = 2;

/// Copies this program into the directory that `words` name, as `oz`. An init container of a pod does so, in an image
/// that may hold nothing else.
#[must_use]
pub fn bring(words: &[OsString]) -> ExitCode {
    let [directory] = words else {
        let _ = writeln!(io::stderr(), "usage: oz bring DIRECTORY");
        return ExitCode::from(USAGE);
    };
    match copy(Path::new(directory)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ =
                writeln!(io::stderr(), "oz can't be copied to {}: {error}", Path::new(directory).display());
            ExitCode::FAILURE
        }
    }
}

/// Whoever looks sees the whole program or none.
fn copy(directory: &Path) -> io::Result<()> {
    let unfinished = directory.join(".oz-unfinished");
    fs::copy(std::env::current_exe()?, &unfinished)?;
    fs::rename(&unfinished, directory.join(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_copy_is_the_same_program_and_can_be_run() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(bring(&[directory.path().into()]), ExitCode::SUCCESS);
        let copy = directory.path().join("oz");
        let (here, there) = (std::env::current_exe().unwrap().metadata().unwrap(), copy.metadata().unwrap());
        assert_eq!((here.len(), there.permissions().mode() & 0o111), (there.len(), 0o111));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert_eq!(bring(&["/no/such/directory".into()]), ExitCode::FAILURE);
        assert_eq!(bring(&[]), ExitCode::from(USAGE));
    }
}
