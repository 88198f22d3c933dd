//! The messages, as JSON bodies of HTTPS requests.
//!
//! Parsing is total: a body is capped before it is read, unknown members are ignored so that
//! versions can meet, and every value is checked by its type.

use portcullis_crypto::Zeroizing;
use portcullis_types::{CaSystemId, ChipId, ScpClientId, SuperScpId};
use serde::{Deserialize, Serialize};

use crate::error::ErrorCode;

/// The protocol version in this build.
pub const PROTOCOL_VERSION: u16 = 1;
/// Octets of a metadata body, either way.
pub const METADATA_CAP: usize = 64 * 1024;
/// Path of the CDCS_PSS's client request.
pub const CLIENT_PATH: &str = "/cdcs_pss/v1/client";
/// Path of the CDCS_MSS's images; the SHA-256 follows.
pub const IMAGE_PATH: &str = "/cdcs_mss/v1/image/";
/// Path of the two-way return channel; CA_system_id and ChipID follow.
pub const EMM_PATH: &str = "/emm/v1/";
/// Path for what a terminal tells of clients that were stopped.
pub const VIOLATIONS_PATH: &str = "/report/v1/violations";
/// Records in one such report.
pub const VIOLATIONS_MAX: usize = 64;
/// Octets of an answer of the return channel.
pub const SECTIONS_CAP: usize = 256 * 1024;
/// Header with the ticket of an image request.
pub const TICKET_HEADER: &str = "x-portcullis-ticket";

/// Device and agent information of step 10.1, with what the device already holds (step 10.7).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MetadataRequest {
    /// [`PROTOCOL_VERSION`].
    pub protocol: u16,
    /// Same for each repeat of one request, so that a repeat can be told from a new request.
    pub request_id: String,
    /// The CA system the device met in the stream.
    pub ca_system_id: CaSystemId,
    /// The device, as its certificate says.
    pub chip_id: ChipId,
    /// Version of the host interface on the device: major in the upper, minor in the lower half.
    pub host_api: u32,
    /// The client it holds for this CA system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldClient>,
}

/// A client the device holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HeldClient {
    /// Its supplier.
    pub super_scp_id: SuperScpId,
    /// Its id.
    pub client_id: ScpClientId,
    /// Its version.
    pub version: u32,
}

/// CDCS information of steps 10.5 and 10.6.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CdcsInformation {
    /// The CA system it serves.
    pub ca_system_id: CaSystemId,
    /// Name of its supplier, for people.
    pub vendor: String,
    /// Its supplier.
    pub super_scp_id: SuperScpId,
    /// Its id.
    pub client_id: ScpClientId,
    /// Its version.
    pub version: u32,
    /// Octets of the image.
    pub size: u64,
    /// SHA-256 of the image.
    #[serde(with = "octets")]
    pub sha256: [u8; 32],
}

/// The answer to a [`MetadataRequest`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MetadataResponse {
    /// Echo of the request id.
    pub request_id: String,
    /// Which client.
    pub cdcs: CdcsInformation,
    /// CDCS_MSS authentication information: a ticket in hexadecimal.
    pub ticket: String,
    /// Opens the image when it is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_key: Option<ImageKeyGrant>,
}

/// The key of an encrypted image, for one authenticated device. The CDCS_PSS gives it, so that
/// the CDCS_MSS and every cache before it hold octets that they cannot read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageKeyGrant {
    /// Names the key, as the image's head does; hexadecimal on the wire.
    #[serde(with = "octets")]
    pub id: [u8; 16],
    /// The key; hexadecimal on the wire.
    #[serde(with = "secret")]
    pub key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for ImageKeyGrant {
    /// The name; never the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImageKeyGrant").field("id", &hex::encode(self.id)).finish_non_exhaustive()
    }
}

/// Body of every answer that is no success.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The code.
    pub code: ErrorCode,
    /// Its name.
    pub name: String,
    /// Names this answer in the centre's log.
    pub request_id: String,
    /// When to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
}

impl ErrorBody {
    /// The body for a code.
    #[must_use]
    pub fn new(code: ErrorCode, request_id: String) -> Self {
        let retry_after_s = code.is_transient().then_some(1);
        Self { code, name: code.name().to_owned(), request_id, retry_after_s }
    }
}

/// Reads a body of at most [`METADATA_CAP`] octets; `None` when it is larger or malformed.
#[must_use]
pub fn parse<T: for<'a> Deserialize<'a>>(body: &[u8]) -> Option<T> {
    (body.len() <= METADATA_CAP).then(|| serde_json::from_slice(body).ok()).flatten()
}

/// The EMM sections of a return-channel answer, each behind its length in two octets.
#[must_use]
pub fn encode_sections(sections: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for section in sections {
        // A section has at most 4096 octets by its own length field.
        if let Ok(length) = u16::try_from(section.len()) {
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(section);
        }
    }
    out
}

/// The sections of a return-channel answer; `None` when a length leads outside.
#[must_use]
pub fn decode_sections(mut body: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut sections = Vec::new();
    while let Some((length, rest)) = body.split_first_chunk::<2>() {
        let (section, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        sections.push(section.to_vec());
        body = rest;
    }
    body.is_empty().then_some(sections)
}

mod octets {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer, const N: usize>(
        octets: &[u8; N],
        out: S,
    ) -> Result<S::Ok, S::Error> {
        out.serialize_str(&hex::encode(octets))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        from: D,
    ) -> Result<[u8; N], D::Error> {
        let text = String::deserialize(from)?;
        portcullis_types::parse_hex_array(&text).map_err(D::Error::custom)
    }
}

mod secret {
    use portcullis_crypto::Zeroizing;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(key: &[u8; 32], out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&Zeroizing::new(hex::encode(key)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Zeroizing<[u8; 32]>, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        portcullis_types::parse_hex_array(&text).map(Zeroizing::new).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_image_key_travels_and_is_never_printed() {
        let grant = ImageKeyGrant { id: [0xAB; 16], key: Zeroizing::new([0xCD; 32]) };
        let text = serde_json::to_string(&grant).unwrap();
        assert!(text.contains(&"ab".repeat(16)) && text.contains(&"cd".repeat(32)));
        assert_eq!(parse::<ImageKeyGrant>(text.as_bytes()), Some(grant.clone()));
        assert!(!format!("{grant:?}").contains("cdcd"));
        let short = text.replace(&"cd".repeat(32), &"cd".repeat(31));
        assert_eq!(parse::<ImageKeyGrant>(short.as_bytes()), None);
    }

    #[test]
    fn sections_round_trip_and_a_cut_answer_is_refused() {
        let sections = vec![vec![0x82; 40], vec![0x84; 1024], Vec::new()];
        let body = encode_sections(&sections);
        assert_eq!(decode_sections(&body), Some(sections));
        assert_eq!(decode_sections(&[]), Some(Vec::new()));
        for cut in [1, 2, 41, 43, body.len() - 1] {
            assert_eq!(decode_sections(&body[..cut]), None, "cut at {cut}");
        }
    }
}
