//! What the targets share: small machines, and hosts that watch.

use portcullis_svm::{
    CallPermitted, Event, GuestMemory, GuestSlice, HostFault, Image, Limits, PermitTable, Reply,
    Syscall, SystemCalls, abi,
};

/// A machine that ends soon.
#[must_use]
pub fn small() -> Limits {
    Limits {
        code_bytes: 1 << 16,
        ram_bytes: 4096,
        stack_bytes: 1024,
        heap_bytes: 1024,
        budget: 20_000,
        change_key_budget: 5000,
        ..Limits::default()
    }
}

/// A policy that permits every call in every event.
#[must_use]
pub fn everything() -> PermitTable {
    let mut table = PermitTable::deny_all();
    for event in Event::ALL {
        for id in 0..abi::SYSCALL_IDS as u16 {
            table.permit(event, id);
        }
    }
    table
}

/// Octets as an image that is all instructions.
#[must_use]
pub fn image(data: &[u8]) -> Image {
    let code = data[..data.len() & !3].to_vec();
    Image { text_bytes: code.len() as u32, code, load_offset: 0, entry: 0 }
}

/// A host that answers zero and remembers nothing.
pub struct Silent;

impl SystemCalls for Silent {
    fn call(
        &mut self,
        _: CallPermitted,
        _: Syscall,
        _: &[u32],
        _: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        Ok(Reply::ok(0))
    }
}

/// A host that remembers calls and arguments, so that two runs can be compared.
#[derive(Default)]
pub struct Witness {
    /// Calls in their order.
    pub seen: Vec<(u16, Vec<u32>)>,
}

impl SystemCalls for Witness {
    fn call(
        &mut self,
        _: CallPermitted,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        let mut seen = args.to_vec();
        // What lies at the first argument belongs to what a run is compared by.
        if let Some(at) = args.first()
            && let Ok(word) = memory.read_u32(*at)
        {
            seen.push(word);
        }
        self.seen.push((call.id(), seen));
        Ok(Reply::ok(self.seen.len() as u32))
    }
}

/// A host that takes each pair of arguments as pointer and length, reads and writes there.
#[derive(Default)]
pub struct Pointers {
    /// Octets read so far.
    pub octets: usize,
}

impl SystemCalls for Pointers {
    fn call(
        &mut self,
        _: CallPermitted,
        _: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        for pair in args.windows(2) {
            let [at, len] = pair else { continue };
            let Ok(octets) = memory.read(*at, *len) else { continue };
            assert_eq!(octets.len(), *len as usize);
            self.octets += octets.len();
            let writable = GuestSlice::writable(memory, *at, *len).is_ok();
            assert_eq!(memory.write(*at, &octets).is_ok(), writable);
        }
        Ok(Reply::ok(0))
    }
}

/// A program that makes the calls one after the other, parameters pushed as clause 7.6 has it.
#[must_use]
pub fn call_program(calls: &[(u16, [u32; 5])]) -> Vec<u32> {
    const T0: u32 = 5;
    const SP: u32 = 2;
    let addi = |rd: u32, rs1: u32, imm: u32| imm << 20 | rs1 << 15 | rd << 7 | 0x13;
    let mut words = Vec::new();
    for (id, args) in calls.iter().take(64) {
        let id = id % abi::SYSCALL_IDS as u16;
        let count = Syscall::from_id(id).map_or(0, Syscall::arguments);
        for arg in args.iter().cycle().take(count) {
            let high = arg.wrapping_add(0x800) & 0xFFFF_F000;
            words.push(high | T0 << 7 | 0x37);
            words.push(addi(T0, T0, arg & 0xFFF));
            words.push(addi(SP, SP, 0xFFC));
            words.push(T0 << 20 | SP << 15 | 2 << 12 | 0x23);
        }
        words.push(abi::trap_word(id));
    }
    words.push(abi::trap_word(abi::call::STACK_SIZE));
    words.push(0x6F);
    words
}
