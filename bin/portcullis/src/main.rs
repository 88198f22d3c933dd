//! Program `portcullis`.

fn main() {}
