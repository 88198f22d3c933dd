//! A tiny assembler and a recording host for tests of the machine.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

pub mod calls;
pub mod extension_words;
pub mod generator;
pub mod suite;

use portcullis_svm::{
    CallPermitted, Client, Event, GuestMemory, HostFault, Image, Limits, Outcome, PermitTable,
    Reply, ScanError, State, Syscall, SystemCalls, TraceStep, abi,
};

pub const RA: u32 = 1;
pub const SP: u32 = 2;
pub const T0: u32 = 5;
pub const A0: u32 = 10;
pub const A1: u32 = 11;
pub const A2: u32 = 12;
pub const A7: u32 = 17;
pub const X31: u32 = 31;

pub fn r(funct7: u32, funct3: u32, rd: u32, rs1: u32, rs2: u32) -> u32 {
    funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33
}

pub fn i(opcode: u32, funct3: u32, rd: u32, rs1: u32, imm: i32) -> u32 {
    (imm as u32) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode
}

pub fn addi(rd: u32, rs1: u32, imm: i32) -> u32 {
    i(0x13, 0, rd, rs1, imm)
}

pub fn store(funct3: u32, rs2: u32, rs1: u32, imm: i32) -> u32 {
    let imm = imm as u32;
    (imm >> 5 & 0x7F) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (imm & 31) << 7 | 0x23
}

pub fn sw(rs2: u32, rs1: u32, imm: i32) -> u32 {
    store(2, rs2, rs1, imm)
}

pub fn lw(rd: u32, rs1: u32, imm: i32) -> u32 {
    i(0x03, 2, rd, rs1, imm)
}

pub fn branch(funct3: u32, rs1: u32, rs2: u32, offset: i32) -> u32 {
    let o = offset as u32;
    (o >> 12 & 1) << 31
        | (o >> 5 & 0x3F) << 25
        | rs2 << 20
        | rs1 << 15
        | funct3 << 12
        | (o >> 1 & 0xF) << 8
        | (o >> 11 & 1) << 7
        | 0x63
}

pub fn jal(rd: u32, offset: i32) -> u32 {
    let o = offset as u32;
    (o >> 20 & 1) << 31
        | (o >> 1 & 0x3FF) << 21
        | (o >> 11 & 1) << 20
        | (o >> 12 & 0xFF) << 12
        | rd << 7
        | 0x6F
}

pub fn jalr(rd: u32, rs1: u32, imm: i32) -> u32 {
    i(0x67, 0, rd, rs1, imm)
}

pub fn ret() -> u32 {
    jalr(0, RA, 0)
}

/// lui + addi.
pub fn li(rd: u32, value: u32) -> [u32; 2] {
    let low = (value as i32) << 20 >> 20;
    let high = value.wrapping_sub(low as u32);
    [high | rd << 7 | 0x37, addi(rd, rd, low)]
}

/// Pushes constants first to last and traps.
pub fn call(id: u16, args: &[u32]) -> Vec<u32> {
    let mut words = Vec::new();
    for arg in args {
        words.extend(li(T0, *arg));
        words.extend([addi(SP, SP, -4), sw(T0, SP, 0)]);
    }
    words.push(abi::trap_word(id));
    words
}

/// `EXIT` with the value of a register.
pub fn exit_with(register: u32) -> Vec<u32> {
    vec![addi(SP, SP, -4), sw(register, SP, 0), abi::trap_word(0x010)]
}

pub fn image(words: &[u32]) -> Image {
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    Image { text_bytes: code.len() as u32, code, load_offset: 0, entry: 0 }
}

pub fn everything() -> PermitTable {
    let mut table = PermitTable::deny_all();
    for event in Event::ALL {
        for id in 0..0x800 {
            table.permit(event, id);
        }
    }
    table
}

/// Remembers what it is asked.
#[derive(Default)]
pub struct Recorder {
    pub calls: Vec<(Event, Syscall, Vec<u32>)>,
    pub steps: Vec<String>,
    pub states: Vec<State>,
}

impl SystemCalls for Recorder {
    fn call(
        &mut self,
        permitted: CallPermitted,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        assert_eq!(permitted.id(), call.id());
        self.calls.push((permitted.event(), call, args.to_vec()));
        match call {
            Syscall::PutMsg => {
                memory.read(args[0], args[1])?;
                Ok(Reply::ok(args[1]))
            }
            Syscall::TokenInfo => Ok(Reply { result: 77, status: -3 }),
            Syscall::Random => Err(HostFault::Host("no entropy")),
            Syscall::VerifySig | Syscall::ProviderPrivate(_) => Err(HostFault::NoSuchCall),
            _ => Ok(Reply::ok(0)),
        }
    }

    fn trace(&mut self, step: TraceStep<'_>) {
        if let TraceStep::State { to, .. } = step {
            self.states.push(to);
        }
        self.steps.push(format!("{step:?}"));
    }
}

pub fn load(words: &[u32], limits: Limits) -> Result<Client, ScanError> {
    Client::load(&image(words), everything(), limits)
}

/// Runs words as Initialize, with everything permitted.
pub fn run_with(words: &[u32], limits: Limits) -> (Outcome, Client, Recorder) {
    let mut client = load(words, limits).unwrap();
    let mut host = Recorder::default();
    let outcome = client.raise(Event::Initialize, &[], &mut host);
    (outcome, client, host)
}

/// Runs words that end by exiting with a register, and gives its value.
pub fn value_of(words: &[u32], register: u32) -> u32 {
    let mut words = words.to_vec();
    words.extend(exit_with(register));
    match run_with(&words, Limits::default()).0 {
        Outcome::Exited(value) => value,
        other => panic!("{other}"),
    }
}

/// A client whose handler is `handler`; its parameter buffer is at the start of RAM.
pub fn with_handler(handler: &[u32]) -> Vec<u32> {
    let mut words = Vec::new();
    let registration = |pc: u32| {
        let mut words = call(0x001, &[pc]);
        words.extend(call(0x002, &[abi::RAM_BASE, 16]));
        words.push(ret());
        words
    };
    let at = registration(0).len() as u32 * 4;
    words.extend(registration(at));
    words.extend(handler);
    words
}
