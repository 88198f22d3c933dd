//! The centre's decisions: which client for which device (CDCS_PSS), and whether an image request
//! may be served (CDCS_MSS).

use portcullis_types::{CaSystemId, ChipId, UnixSeconds};

use crate::error::ErrorCode;
use crate::ticket::TicketAuthority;
use crate::wire::{
    CdcsInformation, ImageKeyGrant, MetadataRequest, MetadataResponse, PROTOCOL_VERSION,
};

/// The published clients, by CA system.
pub trait Catalogue {
    /// The client to use for a CA system.
    fn client(&self, ca_system_id: CaSystemId) -> Option<CdcsInformation>;

    /// The key of an image that is encrypted. None is, by default.
    fn image_key(&self, cdcs: &CdcsInformation) -> Option<ImageKeyGrant> {
        let _ = cdcs;
        None
    }
}

/// Answers a metadata request. `device` is what the device's certificate proved, `id` random.
///
/// # Errors
/// `UNSUPPORTED_VERSION`, `AUTH_FAILED` when the request names another chip than the certificate,
/// `NO_MATCHING_CDCS`, `UP_TO_DATE`, `ROLLBACK_REFUSED`.
// spec: M-B02 M-B04 M-B05
pub fn answer_metadata(
    catalogue: &dyn Catalogue,
    tickets: &TicketAuthority,
    request: &MetadataRequest,
    device: ChipId,
    id: [u8; 16],
    now: UnixSeconds,
) -> Result<MetadataResponse, ErrorCode> {
    if request.protocol != PROTOCOL_VERSION {
        return Err(ErrorCode::UnsupportedVersion);
    }
    if request.chip_id != device {
        return Err(ErrorCode::AuthFailed);
    }
    let cdcs = catalogue.client(request.ca_system_id).ok_or(ErrorCode::NoMatchingCdcs)?;
    if let Some(held) = request.held
        && (held.super_scp_id, held.client_id) == (cdcs.super_scp_id, cdcs.client_id)
    {
        match held.version.cmp(&cdcs.version) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => return Err(ErrorCode::UpToDate),
            std::cmp::Ordering::Greater => return Err(ErrorCode::RollbackRefused),
        }
    }
    let ticket = hex::encode(tickets.issue(id, device, cdcs.sha256, now));
    let image_key = catalogue.image_key(&cdcs);
    Ok(MetadataResponse { request_id: request.request_id.clone(), cdcs, ticket, image_key })
}

/// Checks an image request: the ticket header, for this device and this image.
///
/// # Errors
/// `MALFORMED` for what is no hexadecimal, else the codes of [`TicketAuthority::redeem`].
pub fn authorise_image(
    tickets: &mut TicketAuthority,
    ticket_header: &str,
    device: ChipId,
    sha256: &[u8; 32],
    now: UnixSeconds,
) -> Result<(), ErrorCode> {
    let bytes = hex::decode(ticket_header).map_err(|_| ErrorCode::Malformed)?;
    tickets.redeem(&bytes, device, sha256, now).map(|_| ())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use portcullis_types::{ScpClientId, SuperScpId};

    use super::*;
    use crate::wire::HeldClient;

    struct One;

    impl Catalogue for One {
        fn client(&self, ca_system_id: CaSystemId) -> Option<CdcsInformation> {
            (ca_system_id == CaSystemId(0x7A10)).then(|| CdcsInformation {
                ca_system_id,
                vendor: "vendor-a".into(),
                super_scp_id: SuperScpId(0xA001),
                client_id: ScpClientId(1),
                version: 5,
                size: 10,
                sha256: [7; 32],
            })
        }
    }

    fn request(held: Option<u32>) -> MetadataRequest {
        MetadataRequest {
            protocol: PROTOCOL_VERSION,
            request_id: "1".into(),
            ca_system_id: CaSystemId(0x7A10),
            chip_id: ChipId(7),
            host_api: 0x0001_0000,
            held: held.map(|version| HeldClient {
                super_scp_id: SuperScpId(0xA001),
                client_id: ScpClientId(1),
                version,
            }),
        }
    }

    #[test]
    fn the_policy_server_answers_by_what_the_device_holds() {
        let tickets = TicketAuthority::new([1; 32]);
        let ask = |request: &MetadataRequest, device| {
            answer_metadata(&One, &tickets, request, ChipId(device), [2; 16], UnixSeconds(1000))
        };
        assert_eq!(ask(&request(None), 7).unwrap().cdcs.version, 5);
        assert_eq!(ask(&request(Some(4)), 7).unwrap().cdcs.version, 5);
        assert_eq!(ask(&request(Some(5)), 7), Err(ErrorCode::UpToDate));
        assert_eq!(ask(&request(Some(6)), 7), Err(ErrorCode::RollbackRefused));
        assert_eq!(ask(&request(None), 8), Err(ErrorCode::AuthFailed));
        let mut other = request(None);
        other.ca_system_id = CaSystemId(1);
        assert_eq!(ask(&other, 7), Err(ErrorCode::NoMatchingCdcs));
        other.protocol = 2;
        assert_eq!(ask(&other, 7), Err(ErrorCode::UnsupportedVersion));
    }

    #[test]
    fn an_image_request_needs_the_ticket_of_that_image() {
        let mut tickets = TicketAuthority::new([1; 32]);
        let response =
            answer_metadata(&One, &tickets, &request(None), ChipId(7), [2; 16], UnixSeconds(1000))
                .unwrap();
        let now = UnixSeconds(1001);
        let mut ask = |ticket: &str| {
            authorise_image(&mut tickets, ticket, ChipId(7), &response.cdcs.sha256, now)
        };
        assert_eq!(ask("zz"), Err(ErrorCode::Malformed));
        assert_eq!(ask("00"), Err(ErrorCode::TicketMismatch));
        assert_eq!(ask(&response.ticket), Ok(()));
        assert_eq!(ask(&response.ticket), Err(ErrorCode::TicketReused));
    }
}
