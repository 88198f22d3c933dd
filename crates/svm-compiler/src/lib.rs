//! The compiling tier of the secure virtual machine: a client's scanned text becomes instructions
//! of the host.
//!
//! Trust domain: the embedded SCP of the terminal; the text it compiles is foreign. Clauses:
//! X.1198 7.1, 7.3. It plugs into `portcullis_svm::Client::set_compiler` and runs only where the
//! policy of the client and the limits of the host both say so. It is there for x86-64 Linux; on
//! every other host there is none, and the interpreter runs.
//!
//! What must never happen: memory that is writable and executable; a host address in reach of a
//! guest; code from text that the scan did not see; registers, memory, outcome or count other than
//! the interpreter's. Whatever stops a client is done by the interpreter.

use portcullis_svm::compiled::CompiledTier;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod allocation;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod assembler;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod compiler;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod entry;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod host;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod lengths;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod pins;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod plan;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod shape;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod translate;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod uses;

/// A tier for one client; `None` where there is none.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[must_use]
pub fn tier() -> Option<Box<dyn CompiledTier>> {
    let bmi = is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2");
    Some(Box::new(compiler::Compiler::new(bmi)))
}

/// A tier that uses no instruction beyond the first x86-64, whatever this processor has; what
/// [`tier`] gives on processors that have no more. For tests.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[must_use]
pub fn baseline_tier() -> Option<Box<dyn CompiledTier>> {
    Some(Box::new(compiler::Compiler::new(false)))
}

/// A tier for one client; `None` where there is none.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
#[must_use]
pub fn tier() -> Option<Box<dyn CompiledTier>> {
    None
}

/// A tier for one client; `None` where there is none.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
#[must_use]
pub fn baseline_tier() -> Option<Box<dyn CompiledTier>> {
    None
}
