//! The only crate that names cipher crates; secret types that cannot be printed, cloned or serialised.
