//! One file per subcommand.

pub(crate) mod r#box;
pub(crate) mod centre;
pub(crate) mod client;
pub(crate) mod criteria;
pub(crate) mod ecmg;
pub(crate) mod emmg;
pub(crate) mod entitle;
pub(crate) mod headend;
pub(crate) mod init;
pub(crate) mod keyladder;
pub(crate) mod offline;
pub(crate) mod scramble;
pub(crate) mod svm;
pub(crate) mod terminal;
pub(crate) mod up;
