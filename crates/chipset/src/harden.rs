//! What keeps a process's memory out of debuggers and core dumps.

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit,
};

/// Not dumpable, not traceable by other processes of the same user, no core file.
///
/// # Errors
/// What the system says; a chip does not start then.
// spec: X-08 X-22
// defends: T-39
pub fn no_dumps() -> std::io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}

/// Ends this process when its parent (the chip) ends.
///
/// # Errors
/// What the system says.
pub fn end_with_parent() -> std::io::Result<()> {
    set_parent_process_death_signal(Some(Signal::TERM))?;
    Ok(())
}
