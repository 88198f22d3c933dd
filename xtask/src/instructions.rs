//! `cargo xtask instructions`: what the hot code costs, counted and not timed, so that a change or
//! a new compiler cannot make it slower unseen.
//!
//! `benches/instructions.toml` names runs of a small program, whose instructions valgrind counts,
//! and functions, which are counted in the disassembly because valgrind does not know their
//! instructions. `--write` takes what is found as the new figures. And no function of ours may call
//! an instruction: that is a function which was not compiled for the processor that it is meant for.

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};

use crate::Done;
use crate::shell::{cargo, command, output, quiet, read, root, say, step, target_dir, write};
use crate::tools::{OBJDUMP, VALGRIND, require};

const FIGURES: &str = "benches/instructions.toml";
const HEAD: &str = "\
# What hot code costs; `cargo xtask instructions` compares, `cargo xtask instructions --write` writes.
# [[run]]: instructions of `cargo run --release -p CRATE --example EXAMPLE ARGUMENTS`, by valgrind.
# [[function]]: instructions, loads and stores that stand in a function of that program. To add
# either, write its name or arguments here without figures and let them be written.
";

/// Runs or checks; nothing but x86-64 has these kernels.
pub(crate) fn run(args: &[String]) -> Done {
    let writes = match args {
        [] => false,
        [flag] if flag == "--write" => true,
        _ => return Err("usage: cargo xtask instructions [--write]".into()),
    };
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        println!("   instructions: the figures are of Linux on x86-64, nothing to compare here");
        return Ok(());
    }
    require(&[&VALGRIND, &OBJDUMP])?;
    let path = root().join(FIGURES);
    let mut figures: Table = read(&path)?.parse().map_err(|error| format!("{FIGURES}: {error}"))?;
    let tolerance = figures.get("tolerance_percent").and_then(Value::as_integer).unwrap_or(5);
    let mut faults = Vec::new();
    let mut built = BTreeMap::new();
    for kind in ["run", "function"] {
        let Some(entries) = figures.get_mut(kind).and_then(Value::as_array_mut) else { continue };
        for entry in entries.iter_mut().filter_map(Value::as_table_mut) {
            let (name, found) = measure(kind, entry, &mut built)?;
            faults.extend(compare(&name, entry, &found, tolerance));
            if writes {
                entry
                    .extend(found.into_iter().map(|(what, count)| (what.to_owned(), count.into())));
            }
        }
    }
    faults.extend(built.values().flat_map(|disassembly| called_instructions(disassembly)));
    if writes {
        return write(&path, &format!("{HEAD}\n{figures}"));
    }
    for fault in &faults {
        println!("   {fault}");
    }
    if faults.is_empty() { Ok(()) } else { Err(format!("instructions: {} changed", faults.len())) }
}

type Counts = Vec<(&'static str, i64)>;

/// The name of an entry and its counts.
fn measure(
    kind: &str,
    entry: &Table,
    built: &mut BTreeMap<(String, String), String>,
) -> Done<(String, Counts)> {
    let text = |key: &str| {
        let text = entry.get(key).and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| format!("{FIGURES}: a [[{kind}]] without {key}"))
    };
    let (package, example) = (text("package")?, text("example")?);
    let program = target_dir().join("release/examples").join(&example);
    let disassembly = match built.get(&(package.clone(), example.clone())) {
        Some(disassembly) => disassembly,
        None => {
            let args = ["build", "--release", "--quiet", "-p", &package, "--example", &example];
            step(&format!("{example} of {package}"), &mut cargo(&args))?;
            let mut objdump = command("objdump");
            objdump.args(["-d", "-C", "--no-show-raw-insn"]).arg(&program);
            built.entry((package, example)).or_insert(output(&mut objdump)?)
        }
    };
    if kind == "function" {
        let name = text("name")?;
        let counts = of_function(disassembly, &name)?;
        return Ok((name, counts));
    }
    let arguments = text("arguments")?;
    Ok((arguments.clone(), vec![("instructions", of_run(&program, &arguments)?)]))
}

/// Instructions that a run executes.
fn of_run(program: &Path, arguments: &str) -> Done<i64> {
    let log = target_dir().join("instructions.log");
    let mut valgrind = command("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(format!("--log-file={}", log.display())).arg(program);
    if !quiet(valgrind.args(arguments.split_whitespace())) {
        return Err(format!("{} {arguments}: failed under valgrind", program.display()));
    }
    let log = read(&log)?;
    let collected = log.lines().find_map(|line| line.split("Collected : ").nth(1));
    let count = collected.and_then(|count| count.trim().parse().ok());
    count.ok_or_else(|| "valgrind tells no count".into())
}

/// What stands in a function, in all its copies for different types and lengths.
fn of_function(disassembly: &str, name: &str) -> Done<Counts> {
    let head = format!("<{name}>:");
    let (mut instructions, mut loads, mut stores) = (0, 0, 0);
    let mut within = false;
    for line in disassembly.lines() {
        within = if within { !line.is_empty() } else { line.ends_with(&head) };
        if !within {
            continue;
        }
        let Some((_, instruction)) = line.split_once(":\t") else { continue };
        let Some((mnemonic, operands)) = instruction.split_once(char::is_whitespace) else {
            continue;
        };
        let operands = operands.split(['#', '<']).next().unwrap_or_default().trim();
        // What fills the space up to the next function.
        if mnemonic.starts_with("nop") || mnemonic == "int3" {
            continue;
        }
        instructions += 1;
        if mnemonic == "lea" || !operands.contains('(') {
            continue;
        }
        // AT&T order: what is written stands last.
        let into_memory = operands.ends_with(')')
            || operands.ends_with('}') && {
                let bare = operands.rsplit_once(')').map_or("", |(_, rest)| rest);
                bare.starts_with('{')
            };
        let compares = ["cmp", "test", "vptest"].iter().any(|word| mnemonic.starts_with(word));
        if into_memory && !compares { stores += 1 } else { loads += 1 }
    }
    if instructions == 0 {
        return Err(format!("{name}: no such function in the program; was it inlined?"));
    }
    Ok(vec![("instructions", instructions), ("loads", loads), ("stores", stores)])
}

/// One line for each call of an instruction from a function of ours. Such a call passes vectors
/// through memory.
fn called_instructions(disassembly: &str) -> Vec<String> {
    let mut within = "";
    let mut found = Vec::new();
    for line in disassembly.lines() {
        if let Some((_, head)) = line.strip_suffix(">:").and_then(|head| head.split_once('<')) {
            within = head;
        }
        let called = line.split_once("call ").and_then(|(_, target)| target.split_once('<'));
        if let Some((_, called)) = called
            && within.starts_with("portcullis_")
            && called.starts_with("core::core_arch::")
        {
            let called = called.trim_end_matches('>');
            found
                .push(format!("{within}: calls {called}; #[inline(always)] or #[target_feature]?"));
        }
    }
    found
}

/// One line for each count that is off by more than the tolerance.
fn compare(name: &str, entry: &Table, found: &Counts, tolerance: i64) -> Vec<String> {
    let mut faults = Vec::new();
    for (what, found) in found {
        let Some(written) = entry.get(*what).and_then(Value::as_integer) else {
            faults.push(format!("{name}: {found} {what}, but {FIGURES} has no figure"));
            continue;
        };
        say_one(name, what, *found, written);
        // A count of a handful may differ by two.
        if (found - written).abs() > (written * tolerance / 100).max(2) {
            faults.push(format!(
                "{name}: {found} {what}, {FIGURES} says {written}; if that is meant: \
                 cargo xtask instructions --write"
            ));
        }
    }
    faults
}

fn say_one(name: &str, what: &str, found: i64, written: i64) {
    println!(
        "   {name}: {found} {what} ({:+.1} %)",
        (found - written) as f64 * 100.0 / written.max(1) as f64
    );
}

/// As a step of `cargo xtask ci`.
pub(crate) fn check() -> Done {
    say("instructions of hot code");
    run(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "\
0000000000001000 <a::hot>:
    1000:\tvmovdqa64 0x40(%rsi),%zmm0
    1006:\tvpxorq (%rdi,%rax,1),%zmm0,%zmm1
    100c:\tvmovdqa64 %zmm1,0x80(%rsp)
    1010:\tlea    0x8(%rax),%rax
    1012:\tvmovdqu8 %zmm1,(%rdx){%k1}
    1014:\tcmp    %rax,(%rcx)
    1018:\tret
    1019:\tint3

0000000000002000 <a::cold>:
    2000:\tret

0000000000003000 <a::hot>:
    3000:\tmov    %rax,%rcx
    3003:\tret
";

    #[test]
    fn loads_and_stores_are_told_apart() {
        let counts = of_function(CODE, "a::hot");
        assert_eq!(counts, Ok(vec![("instructions", 7), ("loads", 3), ("stores", 2)]));
        assert!(of_function(CODE, "a::inlined").is_err());
    }

    #[test]
    fn a_called_instruction_is_a_fault() {
        let call = "    1000:\tcall   2000 <core::core_arch::x86::avx512f::_mm512_xor_si512>\n";
        let ours = format!("0000000000001000 <portcullis_scramble::hot>:\n{call}");
        assert_eq!(called_instructions(&ours).len(), 1);
        assert!(called_instructions(&ours.replace("portcullis_", "chacha20_")).is_empty());
        assert!(called_instructions(CODE).is_empty());
    }

    #[test]
    fn more_than_the_tolerance_is_a_fault() {
        let entry: Table = "instructions = 1000".parse().unwrap_or_default();
        assert!(compare("f", &entry, &vec![("instructions", 1_050)], 5).is_empty());
        assert_eq!(compare("f", &entry, &vec![("instructions", 1_051)], 5).len(), 1);
        assert_eq!(compare("f", &entry, &vec![("instructions", 949)], 5).len(), 1);
        assert_eq!(compare("f", &Table::new(), &vec![("loads", 1)], 5).len(), 1);
    }
}
