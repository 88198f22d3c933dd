//! What a store refuses, by whose fault.

use std::path::PathBuf;

use portcullis_types::ChipId;

/// A refused or failed operation of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The operator named a box that is not registered.
    #[error("no box is called \"{0}\"")]
    UnknownTerminal(String),
    /// No box has this chip.
    #[error("no box has chip {0}")]
    UnknownChip(ChipId),
    /// The operator named a product that does not exist.
    #[error("no product is called \"{name}\" (there are: {known})")]
    UnknownProduct {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// Name or chip belong to another box.
    #[error("box \"{name}\" or chip {chip_id} is registered already")]
    TerminalExists {
        /// The name asked for.
        name: String,
        /// The chip asked for.
        chip_id: ChipId,
    },
    /// A revoked box cannot be entitled.
    #[error("box \"{0}\" is revoked")]
    Revoked(String),
    /// The period of a right ends before it begins.
    #[error("the period is empty: it ends at {until} and begins at {from}")]
    EmptyPeriod {
        /// Begin.
        from: u64,
        /// End.
        until: u64,
    },
    /// A time outside what the database can hold.
    #[error("time {0} is out of range")]
    TimeOutOfRange(u64),
    /// More rights than one unique EMM holds.
    #[error("box \"{name}\" would have {count} rights; one EMM holds {limit}")]
    TooManyEntitlements {
        /// The box.
        name: String,
        /// Rights it would have.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// A name that is empty, too long or has characters that do not belong into a name.
    #[error("\"{0}\" is no name (1 to 64 letters, digits, '-', '_' or '.')")]
    BadName(String),
    /// The store exists already.
    #[error("{0}: exists already")]
    Exists(PathBuf),
    /// The file cannot be made.
    #[error("{path}: cannot be made")]
    Create {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The store is not there.
    #[error("{0}: no operator database (is this a data directory made by `portcullis init`?)")]
    Missing(PathBuf),
    /// There is a file without a store in it.
    #[error("{0}: an empty operator database, put back a backup")]
    Empty(PathBuf),
    /// The store was written by a newer program.
    #[error("{path}: schema {found}, this program knows up to {known}")]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Something in the store is not what this program wrote.
    #[error("the operator database holds an impossible value: {0}")]
    Corrupt(&'static str),
    /// The database failed.
    #[error("operator database{}", way_back(.0))]
    Database(#[from] rusqlite::Error),
}

/// What helps when the file itself is broken.
fn way_back(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            " is damaged, put back a backup"
        }
        _ => "",
    }
}
