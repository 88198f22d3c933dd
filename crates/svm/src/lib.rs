//! The secure virtual machine of X.1198.
