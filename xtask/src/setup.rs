//! `cargo xtask setup`: what this machine lacks, and installing it on Debian.

use std::collections::BTreeSet;

use crate::Done;
use crate::shell::{command, output, step};
use crate::tools::{FOR_TESTS, FOR_UP};

pub(crate) fn run(args: &[String]) -> Done {
    let install = match args {
        [] => false,
        [flag] if flag == "--yes" || flag == "-y" => true,
        _ => return Err("usage: cargo xtask setup [--yes]".into()),
    };
    let mut packages = BTreeSet::new();
    for tool in FOR_UP.iter().chain(FOR_TESTS).filter(|tool| !tool.is_present()) {
        println!("{}", tool.missing_line());
        packages.extend(tool.packages);
    }
    if packages.is_empty() {
        println!("nothing is missing");
        return Ok(());
    }
    let list: Vec<&str> = packages.into_iter().collect();
    if !install {
        println!("`cargo xtask setup --yes` runs: apt-get install {}", list.join(" "));
        return Ok(());
    }
    if !is_root() {
        return Err(format!("not root; run: sudo apt-get install {}", list.join(" ")));
    }
    let apt = || {
        let mut apt = command("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    step("apt-get update", apt().args(["-q", "update"]))?;
    let install = |packages: &[&str]| {
        let title = format!("apt-get install {}", packages.join(" "));
        step(&title, apt().args(["-q", "-y", "--no-install-recommends", "install"]).args(packages))
    };
    if install(&list).is_ok() {
        return Ok(());
    }
    // One package that is not to be had must not cost the others.
    let failed: Vec<&str> =
        list.iter().copied().filter(|package| install(&[package]).is_err()).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!("could not install: {}", failed.join(" ")))
}

fn is_root() -> bool {
    output(command("id").arg("-u")).is_ok_and(|uid| uid.trim() == "0")
}
