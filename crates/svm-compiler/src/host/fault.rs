//! The signal of a guard page: compiled code that touched one goes to its exit instead.
//!
//! The handler looks at a fixed list of code and guest memory that is ours. A signal is ours only
//! when the instruction lies in such code and the address in the same client's guest memory; all
//! other signals go to the handler that was there before. It allocates nothing and takes no lock.

#![allow(unsafe_code)]

use core::ffi::{c_int, c_void};
use core::ops::Range;
use core::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Clients with compiled code at a time, in one process.
pub(crate) const CLIENTS_MAX: usize = 64;
/// The upper half of RAX when a guard page was hit; the lower half is the place in the code. What
/// RAX was is in R15 then.
pub(crate) const FAULT: u64 = 2 << 32;

/// What the handler knows of one client. All zero: free.
struct Entry {
    code: [AtomicUsize; 2],
    reach: [AtomicUsize; 2],
    exit: AtomicUsize,
    taken: AtomicUsize,
}

static ENTRIES: [Entry; CLIENTS_MAX] = [const {
    Entry {
        code: [AtomicUsize::new(0), AtomicUsize::new(0)],
        reach: [AtomicUsize::new(0), AtomicUsize::new(0)],
        exit: AtomicUsize::new(0),
        taken: AtomicUsize::new(0),
    }
}; CLIENTS_MAX];

/// What handled the signal before us; `None` when the handler could not be installed.
static PREVIOUS: OnceLock<Option<libc::sigaction>> = OnceLock::new();

/// A place in the list; dropping it frees it.
pub(crate) struct Registration(&'static Entry);

impl Registration {
    /// Says which code is ours, which addresses it may fault at, and where it then goes on.
    pub(crate) fn new(code: Range<usize>, reach: Range<usize>, exit: usize) -> Option<Self> {
        PREVIOUS.get_or_init(install).as_ref()?;
        let free = |entry: &&Entry| {
            entry.taken.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        };
        let entry = ENTRIES.iter().find(free)?;
        let registration = Self(entry);
        registration.write(code, reach, exit);
        Some(registration)
    }

    fn write(&self, code: Range<usize>, reach: Range<usize>, exit: usize) {
        let Entry { code: [first, last], reach: [low, high], .. } = self.0;
        // The end of the code is what makes an entry match: it is written last and cleared first.
        last.store(0, Ordering::SeqCst);
        self.0.exit.store(exit, Ordering::SeqCst);
        low.store(reach.start, Ordering::SeqCst);
        high.store(reach.end, Ordering::SeqCst);
        first.store(code.start, Ordering::SeqCst);
        last.store(code.end, Ordering::SeqCst);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.write(0..0, 0..0, 0);
        self.0.taken.store(0, Ordering::Release);
    }
}

fn install() -> Option<libc::sigaction> {
    // SAFETY: both structures are plain data for which zero is a value, and the calls only read
    // and write them. The handler below does nothing that is not allowed in a signal handler.
    unsafe {
        let mut ours: libc::sigaction = core::mem::zeroed();
        let mut before: libc::sigaction = core::mem::zeroed();
        ours.sa_sigaction = handler as *const () as usize;
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigemptyset(&raw mut ours.sa_mask);
        // What was there is known before ours can be called.
        if libc::sigaction(libc::SIGSEGV, ptr::null(), &raw mut before) != 0 {
            return None;
        }
        (libc::sigaction(libc::SIGSEGV, &raw const ours, ptr::null_mut()) == 0).then_some(before)
    }
}

extern "C" fn handler(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel calls this with pointers that are valid for the call (SA_SIGINFO), and
    // the context of x86-64 Linux is a ucontext_t whose registers are restored from it afterwards.
    let (address, registers) = unsafe {
        let context = context.cast::<libc::ucontext_t>();
        ((*info).si_addr() as usize, &mut (*context).uc_mcontext.gregs)
    };
    if let Some((answer, exit)) = ours(registers[libc::REG_RIP as usize] as usize, address) {
        registers[libc::REG_R15 as usize] = registers[libc::REG_RAX as usize];
        registers[libc::REG_RAX as usize] = answer;
        registers[libc::REG_RIP as usize] = exit;
        return;
    }
    pass_on(signal, info, context);
}

/// What RAX and RIP become, when the signal is ours.
fn ours(instruction: usize, address: usize) -> Option<(i64, i64)> {
    let within = |[first, last]: &[AtomicUsize; 2], value| {
        (first.load(Ordering::SeqCst)..last.load(Ordering::SeqCst)).contains(&value)
    };
    let entry = ENTRIES
        .iter()
        .find(|entry| within(&entry.code, instruction) && within(&entry.reach, address))?;
    let offset = instruction - entry.code[0].load(Ordering::SeqCst);
    Some(((FAULT | offset as u64) as i64, entry.exit.load(Ordering::SeqCst) as i64))
}

/// To whoever handled the signal before us.
fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let previous = PREVIOUS.get().copied().flatten();
    // SAFETY: the previous action was read from the kernel, so its address is a handler of the
    // kind that its flags say, or one of the two marks. With the default back in place, returning
    // repeats the access and ends the process as it would have ended without us.
    unsafe {
        match previous {
            Some(action)
                if action.sa_sigaction != libc::SIG_DFL && action.sa_sigaction != libc::SIG_IGN =>
            {
                if action.sa_flags & libc::SA_SIGINFO != 0 {
                    let handle: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
                        core::mem::transmute(action.sa_sigaction);
                    handle(signal, info, context);
                } else {
                    let handle: extern "C" fn(c_int) = core::mem::transmute(action.sa_sigaction);
                    handle(signal);
                }
            }
            _ => {
                libc::signal(libc::SIGSEGV, libc::SIG_DFL);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    use super::*;

    const CHILD: &str = "PORTCULLIS_FAULT_CHILD";

    /// A fault that is not ours still ends the process: in a process of its own.
    #[test]
    fn a_foreign_fault_is_passed_on() {
        if std::env::var_os(CHILD).is_some() {
            let _kept = Registration::new(1..2, 3..4, 5).unwrap();
            // SAFETY: there is nothing at address 8, and that is the point: the process ends here.
            unsafe { core::ptr::with_exposed_provenance::<u8>(8).read_volatile() };
            return;
        }
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "host::fault::tests::a_foreign_fault_is_passed_on"]);
        let status = child.env(CHILD, "1").output().unwrap().status;
        assert_eq!(status.signal(), Some(libc::SIGSEGV));
    }

    #[test]
    fn a_fault_is_ours_only_in_our_code_and_at_our_guests_memory() {
        let registration = Registration::new(0x1000..0x2000, 0x9000..0xA000, 0x1008).unwrap();
        assert_eq!(ours(0x1010, 0x9000), Some(((FAULT | 0x10) as i64, 0x1008)));
        assert_eq!(ours(0x2000, 0x9000), None);
        assert_eq!(ours(0x1010, 0xA000), None);
        drop(registration);
        assert_eq!(ours(0x1010, 0x9000), None);
    }
}
