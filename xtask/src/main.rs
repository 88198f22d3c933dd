//! Build, run, test and check the project.

fn main() {}
