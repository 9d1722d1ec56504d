//! The real environment and file system behind [`tidegate_core::config::Surroundings`].

use std::path::{Path, PathBuf};

use tidegate_core::config::Surroundings;

/// The largest file that a configuration may refer to, in bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// This process's environment, and files relative to one folder.
#[derive(Clone, Debug)]
pub struct Host {
    base: PathBuf,
}

impl Host {
    /// Relative paths start at `base`.
    pub fn new(base: impl Into<PathBuf>) -> Self {
        Self { base: base.into() }
    }

    /// Relative paths start at the folder in which `file` stands.
    pub fn beside(file: &Path) -> Self {
        Self::new(file.parent().unwrap_or(Path::new("")))
    }

    /// Where relative paths start.
    pub fn base(&self) -> &Path {
        &self.base
    }
}

impl Surroundings for Host {
    fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let path = self.base.join(path);
        let size = std::fs::metadata(&path).map_err(|error| error.to_string())?.len();
        if size > MAX_FILE_BYTES {
            return Err(format!("it has {size} bytes, and {MAX_FILE_BYTES} are allowed"));
        }
        std::fs::read(&path).map_err(|error| error.to_string())
    }
}
