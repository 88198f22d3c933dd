//! The terminal software platform: media client, embedded SCP and the host of the SVM.
//!
//! Trust domain: the terminal, outside the chip. It moves scrambled packets, sealed messages and
//! encrypted control words, and never sees a key: the chip process does. Clauses: X.1198 6.3 and
//! 7 (media client, embedded SCP with data, event and SCP manager), J.1032 6.1.2 (terminal
//! software), J.1020 10 (download), J.1010 6.1 (discovery).
//!
//! The order in which things happen is X.1198 6.3's: content request, client request and
//! verification, download, EMM, ECM, descrambling.
//!
//! What must never happen: a client that runs without having been verified in this very boot; an
//! older client than one that ran before; an event to the client dropped or reordered; an ECM
//! taking effect on packets that came before it; output after the chip is gone.

mod centre_link;
mod chip;
mod demux;
mod discovery;
pub mod embedded_scp;
mod error;
mod host;
mod media_client;
mod report;
mod stop;
mod streams;
#[cfg(test)]
mod testing;

pub use chip::SecurityChip;
pub use embedded_scp::violations::ViolationRecord;
pub use error::{ClientError, Reason, TerminalError};
pub use host::card::{CardError, NoCard, SmartCard};
pub use host::network::{Network, NetworkLimits};
pub use host::user::{MediaHooks, PlainMedia};
pub use host::{Clock, Content, Host, HostLimits, SystemClock};
pub use media_client::{Config, Limits, Summary, run, run_with, violations};
pub use report::Reporter;
pub use stop::StopRequest;
