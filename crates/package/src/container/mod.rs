//! The client image container, "ODCI": a package, who built it, who deploys it.
//!
//! Layout (big-endian), octets 0 to 117 fixed:
//! ```text
//!   0  4 magic "ODCI"            4  2 format = 1           6  2 flags: 1 encrypted, 2 countersigned
//!   8  4 vendor id (Super SCP)  12  4 client id           16  4 client version
//!  20  4 platform operation id  24  4 least host API      28  4 heap       32  4 stack
//!  36  4 payload length         40 32 payload SHA-256
//!  72  2 encryption algorithm (0: none, 2: AES-256-GCM)
//!  74 16 key id                90 12 nonce              102 16 tag (over octets 0 to 101, too)
//! 118    payload: the X.1198 package; its announced SHA-256 is that of the plain one
//!        chains: count u16 = 3 (client, platform operation, EMM signer); each: count u16, then
//!        per certificate length u16 and DER, signer first, root left out
//!        revocation lists: length u32 = 0 (none carried yet)
//!        countersignature: algorithm u16 = 0x0082, length u16 = 64, Ed25519 over all before it
//! ```
//! J.1012 7.4-7.6 give the parts (client chain, platform operation chain, file formats); the
//! octets are ours. The third chain tells the client which key signs the operator's global EMMs.

mod build;
mod encryption;
mod error;
mod layout;
mod verify;

pub use build::{ContainerBuilder, SignableContainer};
pub use encryption::{ImageKey, ImageKeyId, ImageKeys, NoImageKeys};
pub use error::ContainerError;
pub use layout::{
    CONTAINER_MAGIC, ContainerHeader, ContainerLimits, Encryption, MIN_HOST_API, ParsedContainer,
};
pub use verify::{NewerThanFloor, VerifiedContainer};
