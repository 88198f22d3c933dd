//! The hardware interface and the software security chipset behind it.
