//! Making and opening the database.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{OperatorData, StoreError, schema};

/// The operator's store in SQLite.
#[derive(Debug)]
pub struct Operator {
    pub(super) db: Connection,
    path: PathBuf,
}

impl Operator {
    /// Makes a new store (file mode 0600) with the operator's services, products and CA systems.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is one; the database's own errors.
    pub fn create(path: &Path, data: &OperatorData) -> Result<Self, StoreError> {
        use std::os::unix::fs::OpenOptionsExt;
        let new = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        match new {
            Ok(_) => {}
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(StoreError::Exists(path.to_owned()));
            }
            Err(source) => return Err(StoreError::Create { path: path.to_owned(), source }),
        }
        let mut store = Self::connect(path)?;
        schema::migrate(&mut store.db, path)?;
        schema::fill(&mut store.db, data)?;
        Ok(store)
    }

    /// Opens a store and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Empty`], [`StoreError::NewerSchema`]; the database's own errors.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.is_file() {
            return Err(StoreError::Missing(path.to_owned()));
        }
        let mut store = Self::connect(path)?;
        let version: i64 = store.db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == 0 {
            // To fill it would be to forget every box and every right without a word.
            return Err(StoreError::Empty(path.to_owned()));
        }
        schema::migrate(&mut store.db, path)?;
        Ok(store)
    }

    /// Where the database stands.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn connect(path: &Path) -> Result<Self, StoreError> {
        let db = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        db.busy_timeout(BUSY_TIMEOUT)?;
        // An acknowledged entitlement survives a power cut: the log is synced at each commit.
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "foreign_keys", true)?;
        Ok(Self { db, path: path.to_owned() })
    }
}

/// How long a writer waits for another process's transaction.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);
