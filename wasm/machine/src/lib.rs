//! The secure virtual machine in a browser's engine: loads a guest, raises events and counts.
//!
//! Trust domain: none; for measurements and tests. The host answers one system call and refuses
//! all others. What must never happen: that this is taken for a terminal: it verifies no package.
//!
//! Safety: `unsafe` stands here only in the attribute that keeps a function's name. The names are
//! those of no other function of the module. Addresses are given out as numbers and never taken.

#![allow(unsafe_code)]

use std::cell::RefCell;

use portcullis_svm::{
    CallPermitted, Client, Event, GuestMemory, HostFault, Limits, Outcome, PermitTable, Reply,
    Syscall, SystemCalls, elf,
};

/// Octets of the largest guest file.
const FILE_MAX: usize = 1 << 20;
/// Instructions that an event may retire.
const BUDGET: u64 = 1 << 40;

struct Machine {
    file: Vec<u8>,
    client: Option<Client>,
    sum: u32,
}

thread_local! {
    static MACHINE: RefCell<Machine> =
        RefCell::new(Machine { file: vec![0; FILE_MAX], client: None, sum: 0 });
}

/// Octets that there is room for.
#[unsafe(no_mangle)]
pub extern "C" fn capacity() -> usize {
    FILE_MAX
}

/// Where the guest's file is to be put.
#[unsafe(no_mangle)]
pub extern "C" fn file() -> *mut u8 {
    MACHINE.with_borrow_mut(|machine| machine.file.as_mut_ptr())
}

/// Loads the guest, an ELF file of so many octets, and raises Initialize; false if it is refused.
#[unsafe(no_mangle)]
pub extern "C" fn load(octets: usize) -> bool {
    MACHINE.with_borrow_mut(|machine| {
        machine.client = machine.file.get(..octets).and_then(start);
        machine.client.is_some()
    })
}

fn start(file: &[u8]) -> Option<Client> {
    let image = elf::flat_image(file).ok()?;
    let mut permits = PermitTable::deny_all();
    for event in Event::ALL {
        for call in Syscall::TABLE {
            permits.permit(event, call.id());
        }
    }
    let limits = Limits {
        ram_bytes: 128 << 10,
        heap_bytes: 64 << 10,
        stack_bytes: 16 << 10,
        budget: BUDGET,
        ..Limits::default()
    };
    let mut client = Client::load(&image, permits, limits).ok()?;
    let outcome = client.raise(Event::Initialize, &[], &mut Host);
    matches!(outcome, Outcome::Returned(_)).then_some(client)
}

/// Raises an event with two parameters; false when the guest was stopped or there is none.
#[unsafe(no_mangle)]
pub extern "C" fn event(first: u32, second: u32) -> bool {
    MACHINE.with_borrow_mut(|machine| {
        let raised =
            machine.client.as_mut().map(|c| c.raise(Event::Timer, &[first, second], &mut Host));
        match raised {
            Some(Outcome::Returned(sum)) => {
                machine.sum = sum;
                true
            }
            _ => false,
        }
    })
}

/// What the guest returned from the last event that it returned from.
#[unsafe(no_mangle)]
pub extern "C" fn sum() -> u32 {
    MACHINE.with_borrow(|machine| machine.sum)
}

/// Instructions that the guest has retired since it was loaded.
#[unsafe(no_mangle)]
pub extern "C" fn retired() -> f64 {
    MACHINE.with_borrow(|machine| {
        machine.client.as_ref().map_or(0.0, |c| c.retired_instructions() as f64)
    })
}

/// Answers the one call that guests of the measurements make.
struct Host;

impl SystemCalls for Host {
    fn call(
        &mut self,
        _: CallPermitted,
        call: Syscall,
        args: &[u32],
        _: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        match (call, args) {
            (Syscall::TokenInfo, &[kind]) => Ok(Reply::ok(kind ^ 77)),
            _ => Err(HostFault::NoSuchCall),
        }
    }

    fn is_traced(&self) -> bool {
        false
    }
}
