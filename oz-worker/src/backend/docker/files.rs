//! Files of this machine that a run needs in its container: those that variables name, and certificates.

use super::archive::{self, Owner, Writer};
use oz_core::env;
use std::{collections::BTreeMap, fs, io, path::Path};

/// Where they are in the container.
const DIRECTORY: &str = "/etc/oz";
/// The variables that name files for agents.
const NAMING: &[(&str, &str)] = &[
    (env::MODELS_FILE, "models.yaml"),
    (env::SCRIPTED_MODEL, "scripted-model.yaml"),
    (env::MODEL_PRICES, "model-prices.yaml"),
];
/// Where this machine may keep the certificates of authorities, and where most programs look for them.
const AUTHORITIES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A file to bring.
pub(super) struct File {
    path: String,
    mode: u32,
    owner: Owner,
    content: Vec<u8>,
}

/// Reads the files that variables name, and lets the variables name the copies in the container.
pub(super) fn named(environment: &mut BTreeMap<String, String>, owner: Owner) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    for (variable, name) in NAMING {
        let Some(value) = environment.get_mut(*variable).filter(|value| !value.is_empty()) else { continue };
        let content = fs::read(Path::new(value.as_str()))
            .map_err(|e| io::Error::new(e.kind(), format!("{variable}: '{value}' can't be read: {e}")))?;
        let path = format!("{DIRECTORY}/{name}");
        value.clone_from(&path);
        // Such a file may hold keys.
        files.push(File { path, mode: 0o600, owner, content });
    }
    Ok(files)
}

/// The certificates of this machine for images that have none: without them nothing is reached over TLS.
pub(super) fn authorities() -> Option<File> {
    let given = std::env::var("SSL_CERT_FILE").ok();
    let places = given.iter().map(String::as_str).chain(AUTHORITIES.iter().copied());
    let content = places.filter_map(|path| fs::read(path).ok()).next()?;
    Some(File { path: AUTHORITIES[0].to_owned(), mode: 0o644, owner: Owner::default(), content })
}

/// Writes files and directories, given by their absolute paths.
pub(super) fn write(archive: &mut Writer, directories: &[(String, Owner)], files: &[File]) -> io::Result<()> {
    for (path, owner) in directories {
        archive::directory(archive, path.trim_start_matches('/'), *owner)?;
    }
    for file in files {
        let (path, size) = (file.path.trim_start_matches('/'), file.content.len() as u64);
        archive::file(archive, path, file.mode, file.owner, size, file.content.as_slice())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_files_are_brought_and_their_variables_follow() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.yaml");
        fs::write(&path, "endpoints: []").unwrap();
        let path = path.to_str().unwrap().to_owned();
        let mut environment: BTreeMap<String, String> =
            [(env::MODELS_FILE.to_owned(), path), ("A".to_owned(), "b".to_owned())].into();
        let files = named(&mut environment, Owner { uid: 7, gid: 8 }).unwrap();
        assert_eq!(environment[env::MODELS_FILE], "/etc/oz/models.yaml");
        assert_eq!((files.len(), files[0].content.as_slice()), (1, b"endpoints: []".as_slice()));
        environment.insert(env::SCRIPTED_MODEL.to_owned(), "/no/such/file".to_owned());
        environment.remove(env::MODELS_FILE);
        let error = named(&mut environment, Owner::default()).err().unwrap().to_string();
        assert!(error.starts_with("OZ_SCRIPTED_MODEL: '/no/such/file' can't be read"), "{error}");
    }
}
