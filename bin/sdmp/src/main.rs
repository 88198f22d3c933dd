//! Program `portcullis-sdmp`.

fn main() {}
