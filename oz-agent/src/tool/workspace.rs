//! The directory that an agent works in, and which paths lie in it. It opens nothing: it answers with a path to open or
//! with the reason why not.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The directory of an agent's files.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    root: PathBuf,
    /// Other directories whose files may be read.
    readable: Vec<PathBuf>,
    /// Held by whoever reads files to change them.
    turn: Arc<Mutex<()>>,
}

impl Workspace {
    /// The workspace in an existing directory.
    pub(crate) fn new(directory: &Path) -> io::Result<Self> {
        let root = directory.canonicalize()?;
        if !root.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a directory"));
        }
        Ok(Self { root, readable: Vec::new(), turn: Arc::default() })
    }

    /// With another directory whose files may be read.
    pub(crate) fn reading(mut self, directory: &Path) -> Self {
        self.readable.extend(directory.canonicalize());
        self
    }

    /// With a skill's file and what belongs to it.
    pub(crate) fn reading_skill(self, file: &Path) -> Self {
        let real = file.parent().and_then(|directory| directory.canonicalize().ok());
        if real.is_none_or(|directory| directory.starts_with(&self.root)) {
            return self;
        }
        // The file itself may be a link to elsewhere.
        let workspace = self.reading(file);
        file.parent().map_or(workspace.clone(), |directory| workspace.reading(directory))
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A turn at changing files: of calls at the same time each sees what the other has done.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The real path of `path`, which may not exist yet; relative paths start at the root.
    ///
    /// # Errors
    /// When the path leads out of the workspace, be it by `..`, from the root of the file system or through a link.
    pub(crate) fn resolve(&self, path: &str) -> Result<PathBuf, String> {
        let real = self.real(path)?;
        if real.starts_with(&self.root) { Ok(real) } else { Err(outside(path)) }
    }

    /// The same for a path that is only read: it may lie in one of the other directories too.
    ///
    /// # Errors
    /// When it lies elsewhere.
    pub(crate) fn resolve_to_read(&self, path: &str) -> Result<PathBuf, String> {
        let real = self.real(path)?;
        let allowed = [&self.root].into_iter().chain(&self.readable).any(|root| real.starts_with(root));
        if allowed { Ok(real) } else { Err(outside(path)) }
    }

    /// Where a path leads, through links and `..`.
    fn real(&self, path: &str) -> Result<PathBuf, String> {
        if path.is_empty() || path.contains('\0') {
            return Err(format!("'{path}' is not a path"));
        }
        let mut real = PathBuf::from("/");
        for part in self.root.join(path).components() {
            match part {
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
                Component::ParentDir => {
                    real.pop();
                }
                Component::Normal(name) => {
                    real.push(name);
                    if fs::symlink_metadata(&real).is_ok_and(|m| m.is_symlink()) {
                        // A link to nothing would let a write create its target anywhere.
                        real = real
                            .canonicalize()
                            .map_err(|e| format!("'{path}' leads through a broken link: {e}"))?;
                    }
                }
            }
        }
        Ok(real)
    }

    /// A path in the workspace as it is shown.
    pub(crate) fn show(&self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.root).unwrap_or(path);
        if inside.as_os_str().is_empty() { ".".to_owned() } else { inside.to_string_lossy().into_owned() }
    }
}

fn outside(path: &str) -> String {
    format!("'{path}' is outside of the workspace; only paths inside it can be used")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::symlink;

    fn workspace() -> (tempfile::TempDir, Workspace) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("w");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::create_dir(dir.path().join("other")).unwrap();
        fs::write(dir.path().join("secret"), "s").unwrap();
        symlink("../secret", root.join("link")).unwrap();
        symlink("../other", root.join("out")).unwrap();
        symlink("/nowhere/at/all", root.join("broken")).unwrap();
        symlink("sub", root.join("inner")).unwrap();
        let workspace = Workspace::new(&root).unwrap();
        (dir, workspace)
    }

    #[test]
    fn the_table() {
        let (_dir, workspace) = workspace();
        let root = workspace.root().to_owned();
        for (path, inside) in [
            ("a", Some("a")),
            ("./sub/../a", Some("a")),
            ("new/deep/file", Some("new/deep/file")),
            ("inner/x", Some("sub/x")),
            (".", Some("")),
            ("..", None),
            ("../w/a", Some("a")),
            ("../secret", None),
            ("sub/../../secret", None),
            ("/etc/passwd", None),
            ("/proc/self/environ", None),
            ("link", None),
            ("out/x", None),
            ("out/../a", None),
            ("broken", None),
            ("broken/x", None),
            ("", None),
            ("a\0b", None),
        ] {
            assert_eq!(workspace.resolve(path).ok(), inside.map(|p| root.join(p)), "{path:?}");
        }
        let absolute = root.join("sub/f").to_string_lossy().into_owned();
        assert_eq!(workspace.resolve(&absolute), Ok(root.join("sub/f")));
        assert_eq!(workspace.show(&root.join("sub/f")), "sub/f");
    }

    proptest! {
        #[test]
        fn no_path_leads_out(parts in proptest::collection::vec("[a-c]|\\.\\.|\\.|link|out|inner|broken|sub|/|//", 0..12)) {
            let (_dir, workspace) = workspace();
            if let Ok(real) = workspace.resolve(&parts.join("/")) {
                prop_assert!(real.starts_with(workspace.root()));
                let mut existing = real.as_path();
                while !existing.exists() { existing = existing.parent().unwrap(); }
                prop_assert!(existing.canonicalize().unwrap().starts_with(workspace.root()));
            }
        }
    }
}
