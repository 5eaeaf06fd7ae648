//! The `oz` program that is brought into containers.

use object::{
    Endianness,
    elf::{EM_AARCH64, EM_X86_64, FileHeader64, PT_INTERP},
    read::{
        ReadCache,
        elf::{FileHeader as _, ProgramHeader as _},
    },
};
use ring::digest::{Context, SHA256};
use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A program that runs in any image for its architecture.
#[derive(Clone)]
pub(super) struct Program {
    file: Arc<File>,
    /// Its size in bytes.
    pub(super) size: u64,
    /// What tells it from other versions: the first 12 hexadecimal digits of its SHA-256.
    pub(super) version: String,
}

impl Program {
    /// Opens the program and checks that it runs on `architecture` without anything of an image.
    pub(super) fn open(path: &Path, architecture: &str) -> Result<Self, String> {
        let path = located(path);
        let wrong =
            |why: String| format!("oz_path: '{}' can't be brought into containers: {why}", path.display());
        let file = File::open(&path).map_err(|e| wrong(e.to_string()))?;
        check(&file, architecture).map_err(&wrong)?;
        let version = version(&file).map_err(|e| wrong(e.to_string()))?;
        let size = file.metadata().map_err(|e| wrong(e.to_string()))?.len();
        Ok(Self { file: Arc::new(file), size, version })
    }

    /// Its bytes. The file that was opened is read, also when another has taken its place.
    pub(super) fn reader(&self) -> impl Read + Send + 'static {
        Reader { file: Arc::clone(&self.file), position: 0 }
    }
}

struct Reader {
    file: Arc<File>,
    position: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

/// A bare name is looked up in `PATH`, as whoever starts it would.
fn located(path: &Path) -> PathBuf {
    if path.components().count() > 1 || path.is_absolute() {
        return path.to_owned();
    }
    let places = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&places).map(|dir| dir.join(path)).find(|file| file.is_file());
    found.unwrap_or_else(|| path.to_owned())
}

fn check(file: &File, architecture: &str) -> Result<(), String> {
    let unreadable = |e: object::Error| format!("it is no 64-bit ELF program ({e})");
    let data = ReadCache::new(file);
    let header = FileHeader64::<Endianness>::parse(&data).map_err(unreadable)?;
    let endian = header.endian().map_err(unreadable)?;
    let own = match header.e_machine(endian) {
        EM_X86_64 => "amd64",
        EM_AARCH64 => "arm64",
        _ => "another architecture",
    };
    if own != architecture {
        return Err(format!(
            "it is for {own} and the engine for {architecture}; start the worker with an `oz` for linux/{architecture}"
        ));
    }
    let segments = header.program_headers(endian, &data).map_err(unreadable)?;
    if segments.iter().any(|segment| segment.p_type(endian) == PT_INTERP) {
        let target = if own == "amd64" { "x86_64" } else { "aarch64" };
        return Err(format!(
            "it is dynamically linked, so that it would not run in every image; start the worker with the static \
             program: cargo build --release --package oz-cli --target {target}-unknown-linux-musl"
        ));
    }
    Ok(())
}

fn version(mut file: &File) -> io::Result<String> {
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 16];
    while let count @ 1.. = file.read(&mut buffer)? {
        context.update(&buffer[..count]);
    }
    Ok(context.finish().as_ref()[..6].iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn complaint(path: &Path, architecture: &str) -> String {
        Program::open(path, architecture).err().unwrap()
    }

    /// A program for x86-64 with one segment of this kind.
    fn elf(segment: u32) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(16, 0);
        for half in [2u16, 62] {
            bytes.extend(half.to_le_bytes());
        }
        bytes.extend(1u32.to_le_bytes());
        for word in [0u64, 64, 0] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(0u32.to_le_bytes());
        for half in [64u16, 56, 1, 64, 0, 0] {
            bytes.extend(half.to_le_bytes());
        }
        bytes.extend(segment.to_le_bytes());
        bytes.resize(64 + 56, 0);
        bytes
    }

    #[test]
    fn only_static_programs_for_the_engine_are_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("oz");
        fs::write(&path, elf(1)).unwrap();
        let program = Program::open(&path, "amd64").unwrap();
        assert_eq!((program.size, program.version.len()), (120, 12));
        fs::write(dir.path().join("other"), "x").unwrap();
        fs::rename(dir.path().join("other"), &path).unwrap();
        let mut read = Vec::new();
        program.reader().read_to_end(&mut read).unwrap();
        assert_eq!(read, elf(1));
        assert!(complaint(&path, "amd64").contains("no 64-bit ELF program"));
        fs::write(&path, elf(1)).unwrap();
        let text = complaint(&path, "arm64");
        assert!(text.contains("it is for amd64 and the engine for arm64"), "{text}");
        fs::write(&path, elf(PT_INTERP)).unwrap();
        let text = complaint(&path, "amd64");
        assert!(text.contains("dynamically linked") && text.contains("x86_64-unknown-linux-musl"), "{text}");
        assert!(complaint(Path::new("/no/such/oz"), "amd64").starts_with("oz_path: '/no/such/oz'"));
    }
}
