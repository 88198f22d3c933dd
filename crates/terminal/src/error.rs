//! Why a terminal fails, and why a service stays scrambled.

use std::fmt;
use std::path::PathBuf;

use portcullis_chipset::ChipHandleError;
use portcullis_download::DownloadError;
use portcullis_package::ContainerError;
use portcullis_store::StoreError;
use portcullis_svm::{ScanError, abi::reason};
use portcullis_types::{CaSystemId, ProductId, ServiceId};
use thiserror::Error;

use crate::embedded_scp::provider::ProviderRefused;

/// What ends the terminal.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TerminalError {
    /// The chip process ended.
    #[error("the security chip is gone")]
    ChipGone,
    /// The chip refused something that a sound terminal may ask.
    #[error("security chip")]
    Chip(#[source] ChipHandleError),
    /// The input cannot be read.
    #[error("input {name}: {what}")]
    Input {
        /// Which input.
        name: String,
        /// What is wrong, and at which offset.
        what: String,
    },
    /// The output cannot be written.
    #[error("output {name}: {source}")]
    Output {
        /// Which output.
        name: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The input ended or went on for too long without the tables of a service.
    #[error("input {name}: no {table} in {packets} packets")]
    NoTable {
        /// Which input.
        name: String,
        /// The table missing.
        table: &'static str,
        /// Packets looked at.
        packets: usize,
    },
    /// The service asked for is not there.
    #[error("service {service} is not in this stream (services: {there})")]
    UnknownService {
        /// Asked for.
        service: u16,
        /// What there is.
        there: String,
    },
    /// The client for a CA system is not what may run, or its storage was tampered with.
    #[error("client for CA system {ca_system_id}: {source}")]
    Client {
        /// The CA system.
        ca_system_id: CaSystemId,
        /// Why not.
        source: ClientError,
    },
    /// A file of the flash does not read.
    #[error("{path}: {source}")]
    Flash {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl From<ChipHandleError> for TerminalError {
    fn from(error: ChipHandleError) -> Self {
        match error {
            ChipHandleError::ChipGone => Self::ChipGone,
            other => Self::Chip(other),
        }
    }
}

/// Why there is no client to run, or no longer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The download failed.
    #[error("download: {0}")]
    Download(#[from] DownloadError),
    /// The centre cannot be reached.
    #[error("centre {address}: {what}")]
    Centre {
        /// Its address.
        address: String,
        /// What happened.
        what: String,
    },
    /// No centre, and nothing installed.
    #[error("none is installed and no centre is known")]
    NoCentre,
    /// The container is not what a terminal may install or run.
    #[error("refused: {0}")]
    Refused(#[from] ContainerError),
    /// The container is of another client than the centre said.
    #[error("refused: the image is of another client than announced")]
    WrongTarget,
    /// The scan refused the code.
    #[error("refused by the code scan: {0}")]
    Scan(#[from] ScanError),
    /// The provider keeps it from being loaded.
    #[error("refused: {0}")]
    Provider(#[from] ProviderRefused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chip failed.
    #[error(transparent)]
    Chip(#[from] ChipHandleError),
    /// It started and was stopped.
    #[error("stopped: {0}")]
    Stopped(String),
}

impl ClientError {
    /// Whether the chip went away under it.
    pub(crate) const fn is_chip_gone(&self) -> bool {
        matches!(self, Self::Chip(ChipHandleError::ChipGone))
    }
}

/// Why a service stays scrambled.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Reason {
    /// Scrambled packets, but no CA_descriptor says by whom.
    NoCaDescriptor,
    /// No client for any of its CA systems.
    NoClient {
        /// The CA systems, each with the cause.
        causes: Vec<(CaSystemId, String)>,
    },
    /// The client was stopped.
    Stopped {
        /// Which client.
        client: String,
        /// Why.
        why: String,
    },
    /// A scrambling algorithm that neither chip nor client has.
    Algorithm {
        /// scrambling_mode of the service.
        scrambling_mode: u8,
    },
    /// The policy of the client forbids what the output is for.
    Forbidden {
        /// Which client.
        client: String,
        /// To do what with the content.
        to: &'static str,
    },
    /// No ECM came.
    NoEcm {
        /// Which client waited.
        client: String,
    },
    /// The client answered the last ECM with a reason code.
    Refused {
        /// Which client.
        client: String,
        /// The code.
        code: u32,
        /// The product of the ECM.
        product: Option<ProductId>,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCaDescriptor => f.write_str("no CA_descriptor names a CA system"),
            Self::NoClient { causes } => {
                f.write_str("no client for ")?;
                for (i, (ca_system_id, cause)) in causes.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "; " };
                    write!(f, "{comma}CA system {ca_system_id}: {cause}")?;
                }
                Ok(())
            }
            Self::Stopped { client, why } => write!(f, "client {client} was stopped: {why}"),
            Self::Algorithm { scrambling_mode } => {
                write!(f, "nobody here has scrambling_mode 0x{scrambling_mode:02x}")
            }
            Self::Forbidden { client, to } => {
                write!(f, "the policy of client {client} forbids to {to} its content")
            }
            Self::NoEcm { client } => write!(f, "no ECM came (client {client})"),
            Self::Refused { client, code, product } => {
                let product = product.map_or_else(|| "it".into(), |p| format!("product {}", p.0));
                match *code {
                    reason::NOT_ENTITLED => write!(f, "not entitled to {product}"),
                    reason::NO_KEY => write!(f, "no key for {product} has come yet"),
                    reason::BAD_MESSAGE => write!(f, "the ECM of {product} is not authentic"),
                    reason::EXPIRED => write!(f, "the entitlement to {product} has ended"),
                    reason::REPLAYED => write!(f, "the ECM of {product} was played again"),
                    reason::OK => write!(f, "the keys of {product} do not fit the packets"),
                    reason::NOT_FOR_US => write!(f, "the ECM of {product} is for others"),
                    other => write!(f, "the client answered {other} for {product}"),
                }?;
                write!(f, " (client {client})")
            }
        }
    }
}

/// The one line that ends a terminal without a picture.
pub(crate) fn stays_scrambled(name: &str, service: ServiceId, reason: &Reason) -> String {
    format!("box {name}: service {} stays scrambled: {reason}", service.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_and_where() {
        let reason = Reason::Refused {
            client: "vendor-a".into(),
            code: reason::NOT_ENTITLED,
            product: Some(ProductId(1)),
        };
        assert_eq!(
            stays_scrambled("b1", ServiceId(1), &reason),
            "box b1: service 1 stays scrambled: not entitled to product 1 (client vendor-a)"
        );
        let reason = Reason::NoClient {
            causes: vec![(CaSystemId(0x7A10), "none is installed and no centre is known".into())],
        };
        assert_eq!(
            stays_scrambled("b1", ServiceId(2), &reason),
            "box b1: service 2 stays scrambled: no client for CA system 0x7a10: none is installed \
             and no centre is known"
        );
    }
}
