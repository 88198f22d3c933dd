//! The manual's table of system calls is the machine's: numbers, names, parameters and charges.
#![allow(clippy::unwrap_used, clippy::panic)]

use portcullis_svm::Syscall;

const MANUAL: &str = include_str!("../../../docs/reference/svm.md");

// spec-test: X-T05
#[test]
fn every_call_stands_in_the_manual_with_its_charge() {
    let rows: Vec<Vec<&str>> = MANUAL
        .lines()
        .filter(|line| line.starts_with("| 0x0"))
        .map(|line| line.split('|').map(str::trim).collect())
        .filter(|cells: &Vec<&str>| cells.len() == 7)
        .collect();
    let told: Vec<(String, &str, u64)> = rows
        .iter()
        .map(|cells| (cells[1].to_owned(), cells[2], cells[5].parse().unwrap()))
        .collect();
    let table: Vec<(String, &str, u64)> = Syscall::TABLE
        .iter()
        .map(|call| (format!("0x{:03x}", call.id()), call.name(), call.base_charge()))
        .map(|(id, name, charge)| (id.replace('a', "A"), name, charge))
        .collect();
    assert_eq!(told, table);
}
