//! Program `portcullis-bootloader`.

fn main() {}
