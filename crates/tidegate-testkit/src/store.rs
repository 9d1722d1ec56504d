//! A store in a folder of its own, removed with it.

use std::any::Any;
use std::path::{Path, PathBuf};

use tidegate_core::config::{self, Overrides, StoreUrl, Surroundings};
use tidegate_store::{OpenError, Reader, Store};

/// The file's name within the folder of [`Database::sqlite`].
const FILE: &str = "tidegate.db";

/// A database that can be opened, closed and opened again; removed when this is dropped.
pub struct Database {
    /// The limits with which it is opened; the product's defaults unless changed.
    pub options: config::Store,
    base: PathBuf,
    _keep: Box<dyn Any + Send + Sync>,
}

impl Database {
    /// An SQLite file, not created yet, in a temporary folder.
    ///
    /// # Panics
    /// When no temporary folder can be made.
    pub fn sqlite() -> Self {
        let folder =
            tempfile::tempdir().unwrap_or_else(|e| panic!("cannot create a folder for the database: {e}"));
        let base = folder.path().to_owned();
        Self::new(options(&format!("sqlite://{FILE}")), base, folder)
    }

    /// A database that `keep` removes when it is dropped. A relative path in `options` starts at `base`.
    pub fn new(options: config::Store, base: PathBuf, keep: impl Any + Send + Sync) -> Self {
        Self { options, base, _keep: Box::new(keep) }
    }

    /// The same database with other limits.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut config::Store)) -> Self {
        change(&mut self.options);
        self
    }

    /// Opens it; nobody observes the commits.
    ///
    /// # Panics
    /// When it cannot be opened.
    #[track_caller]
    pub fn open(&self) -> Store {
        self.try_open().unwrap_or_else(|e| panic!("the store does not open: {}", with_causes(&e)))
    }

    /// Opens it where that may be refused.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn try_open(&self) -> Result<Store, OpenError> {
        Store::open(&self.options, &self.base, |_| ())
    }

    /// Opens it for reading only.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn reader(&self) -> Result<Reader, OpenError> {
        Reader::open(&self.options, &self.base)
    }

    /// The folder at which relative paths start.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// The file of an SQLite database.
    pub fn path(&self) -> PathBuf {
        let StoreUrl::Sqlite(path) = &self.options.url;
        self.base.join(path)
    }
}

/// The product's defaults for `[store]`, with this address.
///
/// # Panics
/// When `url` is no address of a store.
pub fn options(url: &str) -> config::Store {
    // Read the way the product reads them, so that a changed default reaches the tests as well.
    let text = tide::Source::new("tidegate.toml", "[[source]]\nname = \"any\"\nprovider = \"none\"\n");
    let loaded = config::load(&text, &Overrides::default(), &Nothing);
    let Some(config) = loaded.config else {
        panic!("the built-in defaults are refused: {:?}", loaded.reports)
    };
    let url = StoreUrl::parse(url).unwrap_or_else(|| panic!("{url:?} is no address of a store"));
    config::Store { url, ..config.store }
}

/// An outside in which there is nothing.
struct Nothing;

impl Surroundings for Nothing {
    fn var(&self, _: &str) -> Option<String> {
        None
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("{path} is not there"))
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", with_causes(source)),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_the_product_s() {
        let options = options("sqlite://some.db");
        assert_eq!(options.url, StoreUrl::Sqlite("some.db".into()));
        assert_eq!((options.max_queue_events, options.readers), (4096, 2));
    }

    #[tokio::test]
    async fn a_database_goes_with_its_folder() {
        let database = Database::sqlite();
        let folder = database.base().to_owned();
        database.open().close().await;
        assert!(database.path().exists());
        drop(database);
        assert!(!folder.exists());
    }
}
