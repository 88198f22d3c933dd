//! Program `portcullis-chipd`.

fn main() {}
