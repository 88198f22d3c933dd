//! Compiled code against a judge from outside: random programs run here and by `qemu-riscv32`, and
//! all registers and all memory have to be the same.
//!
//! `PORTCULLIS_QEMU_PROGRAMS` sets how many programs are tried.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../svm/tests/support/mod.rs"]
mod support;

use std::io::Write as _;
use std::process::Command;

use portcullis_svm::{
    CallPermitted, Client, Compatibility, Event, Extensions, GuestMemory, HostFault, Limits,
    Outcome, Reply, Syscall, SystemCalls,
};
use support::everything;
use support::generator::{Judge, elf, words};

const PROGRAMS: u64 = 60;
const INSTRUCTIONS: usize = 1500;
/// The judge's processor: with the extensions of the programs.
const CPU: &str =
    "rv32,m=true,zba=true,zbb=true,zbkb=true,zknh=true,zkne=true,zknd=true,c=false,f=false,d=false";

/// Keeps what the program puts out.
#[derive(Default)]
struct Messages(Vec<u8>);

impl SystemCalls for Messages {
    fn call(
        &mut self,
        _: CallPermitted,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        assert_eq!(call, Syscall::PutMsg);
        self.0 = memory.read(args[0], args[1])?;
        Ok(Reply::ok(0))
    }
}

fn compiled(seed: u64) -> Vec<u8> {
    let file = elf(seed, &words(seed, INSTRUCTIONS, Judge::Machine));
    let program = portcullis_svm::elf::program(&file).unwrap();
    let limits = Limits {
        compatibility: Compatibility::UnsafeSimulatorEcall,
        compile: true,
        extensions: Extensions::ALL,
        ..Limits::default()
    };
    let mut client = Client::load_program(&program, everything(), limits).unwrap();
    assert!(client.set_compiler(portcullis_svm_compiler::tier().unwrap()));
    let mut host = Messages::default();
    let outcome = client.raise(Event::Initialize, &[], &mut host);
    assert_eq!(outcome, Outcome::Exited(0), "seed {seed}");
    host.0
}

fn by_qemu(folder: &std::path::Path, seed: u64) -> Vec<u8> {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(format!("compiled-{seed}.elf"));
    std::fs::write(&path, elf(seed, &words(seed, INSTRUCTIONS, Judge::Linux))).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    let output = Command::new("qemu-riscv32").args(["-cpu", CPU]).arg(&path).output().unwrap();
    assert!(output.status.success(), "seed {seed}: {output:?}");
    std::fs::remove_file(&path).unwrap();
    output.stdout
}

fn skip(why: &str) {
    let line = format!("SKIPPED: outside_judge: {why}\n");
    print!("{line}");
    if let Some(path) = std::env::var_os("PORTCULLIS_SKIP_LOG") {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(path);
        log.unwrap().write_all(line.as_bytes()).unwrap();
    }
}

// spec-test: X-05 X-58
#[test]
fn random_programs_end_as_under_qemu() {
    if Command::new("qemu-riscv32").arg("--version").output().is_err() {
        return skip("missing: qemu-riscv32; get it: apt-get install qemu-user");
    }
    let asked = std::env::var("PORTCULLIS_QEMU_PROGRAMS").ok();
    let programs = asked.and_then(|n| n.parse().ok()).unwrap_or(PROGRAMS);
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    for seed in 0..programs {
        assert!(compiled(seed) == by_qemu(folder, seed), "seed {seed}");
    }
}
