//! MPEG-TS packets, and behind one module the tables and descriptors of the field's crates.
