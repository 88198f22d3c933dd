//! Programs in the manner of RISC-V's own suites: one assembly file for each instruction, which
//! checks itself and ends by `ecall` with a7 = 93 and a0 = 0, or the number of the case that
//! failed. The same ELF file runs in qemu, which proves the file, and in every engine.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use portcullis_svm::{Client, Compatibility, Engine, Event, Limits, Outcome, elf};

use super::{Recorder, everything};

const COMPILER: &str = "riscv64-unknown-elf-gcc";
const JUDGE: &str = "qemu-riscv32";
/// A program that loops is wrong.
const LIMIT_SECONDS: &str = "60";

/// Where one sign, one carry or one bit decides.
pub const OPERANDS: [u32; 15] = [
    0,
    1,
    2,
    0xFFFF_FFFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0x8000_0001,
    0xFFFF_8000,
    0x0000_7FFF,
    0x0000_0080,
    0xFFFF_FF7F,
    0xAAAA_AAAA,
    0x1234_5678,
    0x0001_0000,
    31,
];

/// What an instruction gives for its operands.
pub type Two = fn(u32, u32) -> u32;
/// The same for one operand.
pub type One = fn(u32) -> u32;

/// Registers that cases use in turn: all but x0 and x3, which counts the cases.
const REGISTERS: [u32; 30] = [
    1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
    28, 29, 30, 31,
];

/// The text of one program.
pub struct Program {
    pub name: String,
    body: String,
    data: String,
    cases: usize,
}

impl Program {
    pub fn new(name: &str) -> Self {
        Self { name: name.replace('.', "_"), body: String::new(), data: String::new(), cases: 0 }
    }

    /// Registers for the next case, all different.
    pub fn registers<const N: usize>(&self) -> [u32; N] {
        core::array::from_fn(|i| REGISTERS[(self.cases * 7 + i * 11) % REGISTERS.len()])
    }

    /// One case: code that leaves in `register` what must be `wanted`.
    pub fn case(&mut self, code: &str, register: u32, wanted: u32) {
        self.cases += 1;
        let number = self.cases % 255 + 1;
        let other =
            REGISTERS[(REGISTERS.iter().position(|r| *r == register).unwrap_or(0) + 1) % 30];
        writeln!(
            self.body,
            "li x3, {number}\n{code}\nli x{other}, {wanted:#x}\nbne x{register}, x{other}, 9999f"
        )
        .unwrap();
        // A conditional branch reaches 4 KiB.
        if self.cases.is_multiple_of(16) {
            self.body.push_str("j 1f\n9999: j fail\n1:\n");
        }
    }

    pub fn data(&mut self, data: &str) {
        self.data.push_str(data);
    }

    fn text(&self) -> String {
        format!(
            ".option norvc\n.section .text\n.globl _start\n_start:\n{}j pass\n9999: j fail\n\
             pass: li a0, 0\nli a7, 93\necall\nfail: mv a0, x3\nli a7, 93\necall\n.data\n{}\n\
             .section .tohost, \"aw\", @progbits\n.align 6\n.globl tohost\ntohost: .dword 0\n",
            self.body, self.data
        )
    }

    /// Assembles; the addresses are low, so that the judge can have them too.
    pub fn assemble(&self, march: &str) -> PathBuf {
        assemble(&self.name, &self.text(), march, &["-Wl,-Ttext=0x20000,-Tdata=0x60000"])
    }
}

/// Three operands of one register-to-register instruction, and its aliases: rd = rs1, rd = rs2,
/// rs1 = rs2, rd = x0, and x0 as either source.
pub fn register_register(name: &str, meaning: Two) -> Program {
    let mut program = Program::new(name);
    for a in OPERANDS {
        for b in OPERANDS {
            let [x, y, d] = program.registers();
            let code = format!("li x{x}, {a:#x}\nli x{y}, {b:#x}\n{name} x{d}, x{x}, x{y}");
            program.case(&code, d, meaning(a, b));
        }
        let [x, y] = program.registers();
        let b = !a;
        let both = format!("li x{x}, {a:#x}\nli x{y}, {b:#x}\n");
        program.case(&format!("{both}{name} x{x}, x{x}, x{y}"), x, meaning(a, b));
        program.case(&format!("{both}{name} x{y}, x{x}, x{y}"), y, meaning(a, b));
        program.case(&format!("{both}{name} x{x}, x{x}, x{x}"), x, meaning(a, a));
        program.case(&format!("{both}{name} x0, x{x}, x{y}\nmv x{x}, x0"), x, 0);
        program.case(&format!("{both}{name} x{y}, x0, x{x}"), y, meaning(0, a));
        program.case(&format!("{both}{name} x{y}, x{x}, x0"), y, meaning(a, 0));
    }
    program
}

/// One register and an immediate.
pub fn register_immediate(name: &str, immediates: &[i32], meaning: Two) -> Program {
    let mut program = Program::new(name);
    for a in OPERANDS {
        for &b in immediates {
            let [x, d] = program.registers();
            let wanted = meaning(a, b as u32);
            program.case(&format!("li x{x}, {a:#x}\n{name} x{d}, x{x}, {b}"), d, wanted);
            program.case(&format!("li x{x}, {a:#x}\n{name} x{x}, x{x}, {b}"), x, wanted);
        }
    }
    program
}

/// One register alone.
pub fn register(name: &str, meaning: One) -> Program {
    let mut program = Program::new(name);
    for a in OPERANDS.into_iter().chain((0..32).map(|bit| 1 << bit)) {
        let [x, d] = program.registers();
        program.case(&format!("li x{x}, {a:#x}\n{name} x{d}, x{x}"), d, meaning(a));
        program.case(&format!("li x{x}, {a:#x}\n{name} x{x}, x{x}"), x, meaning(a));
    }
    program
}

/// Where the files of the suite lie.
pub fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("suite");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Assembles and links one text, in that folder.
pub fn assemble(name: &str, text: &str, march: &str, flags: &[&str]) -> PathBuf {
    let folder = folder();
    let source = folder.join(format!("{name}.S"));
    let file = folder.join(format!("{name}.elf"));
    std::fs::write(&source, text).unwrap();
    let mut compiler = Command::new(COMPILER);
    compiler.arg(format!("-march={march}")).args(["-mabi=ilp32", "-nostdlib", "-static"]);
    // The linker may not make addresses relative to x3: it is the number of the case.
    compiler.arg("-Wl,--no-relax");
    compiler.current_dir(&folder).args(flags).arg("-o").arg(&file).arg(&source);
    let output = compiler.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}");
    file
}

/// The judge's word: the exit code under qemu.
pub fn by_qemu(file: &Path, cpu: &str) -> i32 {
    let mut judge = Command::new("timeout");
    let output = judge.args([LIMIT_SECONDS, JUDGE, "-cpu", cpu]).arg(file).output().unwrap();
    output.status.code().unwrap_or_else(|| panic!("{}: {output:?}", file.display()))
}

/// How it ends in one engine, with all extensions.
pub fn by_engine(file: &Path, engine: Engine) -> Outcome {
    let program = elf::program(&std::fs::read(file).unwrap()).unwrap();
    let mut limits = Limits::terminal_maximum();
    limits.compatibility = Compatibility::UnsafeSimulatorEcall;
    limits.budget = 10_000_000;
    let mut client = Client::load_program(&program, everything(), limits).unwrap();
    client.set_engine(engine);
    client.raise(Event::Initialize, &[], &mut Recorder::default())
}

/// Every program passes in qemu and in every engine.
pub fn all_pass(programs: &[Program], march: &str, cpu: &str) {
    for program in programs {
        let file = program.assemble(march);
        let name = &program.name;
        assert_eq!(by_qemu(&file, cpu), 0, "{name}: the file is wrong, says the judge");
        for engine in [Engine::MatchLoop, Engine::Threaded] {
            let outcome = by_engine(&file, engine);
            assert_eq!(outcome, Outcome::Exited(0), "{name}: case of {engine:?}: {outcome}");
        }
    }
}

/// Why the suite cannot run here.
pub fn missing() -> Option<&'static str> {
    let runs = |tool: &str| Command::new(tool).arg("--version").output().is_ok();
    if !runs(COMPILER) {
        return Some(
            "missing: riscv64-unknown-elf-gcc; get it: apt-get install gcc-riscv64-unknown-elf",
        );
    }
    (!runs(JUDGE)).then_some("missing: qemu-riscv32; get it: apt-get install qemu-user")
}

/// Says that a test was not run.
pub fn skip(test: &str, why: &str) {
    use std::io::Write as _;
    let line = format!("SKIPPED: {test}: {why}\n");
    print!("{line}");
    if let Some(path) = std::env::var_os("PORTCULLIS_SKIP_LOG") {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(path);
        log.unwrap().write_all(line.as_bytes()).unwrap();
    }
}
