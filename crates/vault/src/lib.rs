//! The private files of one party: encrypted to its unlock key, written atomically.
