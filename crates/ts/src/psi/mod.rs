//! Sections, PAT, CAT, PMT and SDT, on top of the crates `mpeg-ts` and `dvb-si`.
//!
//! Clauses: ISO/IEC 13818-1 2.4.4 (sections, PAT, CAT, PMT), 2.6.16 (CA_descriptor);
//! EN 300 468 5.2.3 (SDT) and 6.2.32 (scrambling_descriptor). Tables come from anybody: a table is
//! only taken with a correct CRC, and a fault is an error value that names the table.
//!
//! This module is the only one that names those two crates; its own types carry our ids.

mod assembler;
mod cat;
mod descriptors;
mod error;
mod packetizer;
mod pat;
mod pmt;
mod sdt;

pub use assembler::{LongHeader, SectionAssembler, TableAssembler};
pub use cat::Cat;
pub use descriptors::{CaDescriptor, ca_descriptors, scrambling_mode_value};
pub use error::PsiError;
pub use packetizer::SectionPacketizer;
pub use pat::{Pat, Program};
pub use pmt::{Pmt, PmtStream};
pub use sdt::{Sdt, SdtService};

/// Octets of the longest section (private sections; PSI sections stop at 1024).
pub const SECTION_MAX: usize = 4096;

/// table_id of the PAT.
pub const TABLE_ID_PAT: u8 = 0x00;
/// table_id of the CAT.
pub const TABLE_ID_CAT: u8 = 0x01;
/// table_id of the PMT.
pub const TABLE_ID_PMT: u8 = 0x02;
/// table_id of the SDT of the transport stream that carries it.
pub const TABLE_ID_SDT_ACTUAL: u8 = 0x42;
