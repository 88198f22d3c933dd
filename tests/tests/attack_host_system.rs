//! Whatever a client does, the host's operating system hears nothing of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

use portcullis_tests::{has_tool, program, run, skip};

/// What the process may ask of the operating system once it has read program and policy: memory,
/// what it prints, and its end.
const ALLOWED: [&str; 11] = [
    "brk",
    "mmap",
    "munmap",
    "mremap",
    "mprotect",
    "madvise",
    "write",
    "futex",
    "sigaltstack",
    "exit_group",
    "+++",
];
/// Clients that try everything in the reach of theirs.
const CLIENTS: [&str; 10] = [
    "alloc-storm",
    "call-storm",
    "jump-ram",
    "message-flood",
    "network-elsewhere",
    "spin",
    "stack",
    "storage-flood",
    "wild-pointers",
    "write-code",
];

// spec-test: X-07 X-10
// attack-test: T-28 T-30
#[test]
fn hostile_clients_reach_no_system_call_of_the_host() {
    let name = "hostile_clients_reach_no_system_call_of_the_host";
    if !has_tool(name, "strace", "apt-get install strace") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    for client in CLIENTS {
        let Some(elf) = portcullis_assets::hostile(client) else {
            skip(name, "no RISC-V compiler for the guests");
            return;
        };
        std::fs::write(file("client.elf"), elf).unwrap();
        std::fs::write(file("client.xml"), portcullis_assets::policy(client).unwrap()).unwrap();
        let mut call = Command::new("strace");
        call.arg("-f").arg("-o").arg(file("trace")).arg(program("portcullis"));
        call.args(["svm", "run"]).arg(file("client.elf")).arg("--policy").arg(file("client.xml"));
        for event in ["Entitlement:00112233", "ChangeKey:8000", "Timer", "Player", "Terminate"] {
            call.args(["--event", event]);
        }
        let finished = run(&mut call);
        if finished.stderr.contains("ptrace") {
            skip(name, "strace may not trace here");
            return;
        }
        let trace = std::fs::read_to_string(file("trace")).unwrap();
        let after_policy =
            trace.lines().skip_while(|line| !line.contains("client.xml\", O_RDONLY"));
        // The policy is read and closed; what comes then is the client's doing.
        let doing = after_policy.skip_while(|line| !line.contains(" close("));
        let asked: Vec<&str> = doing
            .skip(1)
            .filter_map(|line| line.split_whitespace().nth(1)?.split('(').next())
            .collect();
        assert!(asked.contains(&"exit_group"), "{client}: the search is blind:\n{trace}");
        let strange: Vec<_> = asked.iter().filter(|call| !ALLOWED.contains(call)).collect();
        assert!(strange.is_empty(), "{client} reached {strange:?}");
    }
}
