//! Program `portcullis-authority`.

fn main() {}
