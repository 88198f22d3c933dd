//! ckb-vm: an interpreter of RISC-V in assembly, metered by its own table of cycles. The program
//! stays: a system call yields to the host when the work is done, and goes on with the next.

use ckb_vm::cost_model::estimate_cycles;
use ckb_vm::machine::VERSION2;
use ckb_vm::machine::asm::{AsmCoreMachine, AsmMachine};
use ckb_vm::registers::{A0, A1, A7};
use ckb_vm::{
    Bytes, CoreMachine, DefaultMachineBuilder, DefaultMachineRunner, Error, ISA_B, ISA_IMC,
    ISA_MOP, Register, SupportMachine, Syscalls,
};

use super::{BUDGET, Machine, answer};

/// Numbers of `guests/ckb.c`.
const NEXT_WORK: u64 = 2100;
const CALL_OUT: u64 = 2101;

pub(super) struct Ckb {
    file: Bytes,
    machine: AsmMachine,
}

impl Ckb {
    pub(super) fn start(file: &[u8]) -> Option<Self> {
        let file = Bytes::copy_from_slice(file);
        let mut machine = load(&file)?;
        // Up to where it asks for work.
        matches!(machine.run(), Err(Error::Yield)).then_some(Self { file, machine })
    }
}

impl Machine for Ckb {
    fn event(&mut self, what: u32, rounds: u32) -> Option<u32> {
        let core = &mut self.machine.machine;
        core.set_cycles(0);
        core.set_register(A0, what.into());
        core.set_register(A1, rounds.into());
        match self.machine.run() {
            Err(Error::Yield) => Some(self.machine.machine.registers()[A0] as u32),
            _ => None,
        }
    }

    fn load(&self) -> Option<()> {
        load(&self.file).map(|machine| drop(std::hint::black_box(machine)))
    }
}

fn load(file: &Bytes) -> Option<AsmMachine> {
    let core =
        <Box<AsmCoreMachine> as SupportMachine>::new(ISA_IMC | ISA_B | ISA_MOP, VERSION2, BUDGET);
    let core = DefaultMachineBuilder::new(core)
        .instruction_cycle_func(Box::new(estimate_cycles))
        .syscall(Box::new(Host))
        .build();
    let mut machine = AsmMachine::new(core);
    machine.load_program(file, std::iter::empty()).ok()?;
    Some(machine)
}

struct Host;

impl<M: SupportMachine> Syscalls<M> for Host {
    fn initialize(&mut self, _: &mut M) -> Result<(), Error> {
        Ok(())
    }

    fn ecall(&mut self, machine: &mut M) -> Result<bool, Error> {
        match machine.registers()[A7].to_u64() {
            NEXT_WORK => Err(Error::Yield),
            CALL_OUT => {
                let kind = machine.registers()[A0].to_u64() as u32;
                machine.set_register(A0, M::REG::from_u32(answer(kind)));
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}
