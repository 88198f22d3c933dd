//! The routes, one role each.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use portcullis_download::server::{answer_metadata, authorise_image};
use portcullis_download::wire::{
    METADATA_CAP, TICKET_HEADER, VIOLATIONS_MAX, VIOLATIONS_PATH, encode_sections, parse,
};
use portcullis_download::{ErrorCode, MetadataRequest, TicketAuthority};
use portcullis_headend::emmg::current_emms;
use portcullis_headend::layout::DataDir;
use portcullis_headend::store::{Operator, Repository, StoreError, ViolationReport};
use portcullis_types::{CaSystemId, ChipId, UnixSeconds, parse_hex_array, parse_u32};
use portcullis_vault::Passphrase;

use crate::catalogue::PublishedClients;
use crate::error::{CentreError, Refusal};
use crate::tls::now;

/// A role that can be started alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Which client for which device.
    CdcsPss,
    /// The images.
    CdcsMss,
    /// The two-way return channel of EMMs.
    Emm,
}

impl std::str::FromStr for Role {
    type Err = CentreError;

    fn from_str(name: &str) -> Result<Self, CentreError> {
        match name {
            "cdcs_pss" | "cdcs-pss" => Ok(Self::CdcsPss),
            "cdcs_mss" | "cdcs-mss" => Ok(Self::CdcsMss),
            "emm" => Ok(Self::Emm),
            other => Err(CentreError::Role(other.to_owned())),
        }
    }
}

/// What the routes share.
pub(crate) struct Shared {
    pub(crate) data: DataDir,
    pub(crate) passphrase: Option<Passphrase>,
    pub(crate) catalogue: PublishedClients,
    pub(crate) tickets: Mutex<TicketAuthority>,
    pub(crate) events: bool,
}

/// The chip at the other end of the connection, if it showed a device certificate.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) Option<ChipId>);

type Answer = Result<Response, Refusal>;

pub(crate) fn router(shared: Arc<Shared>, role: Option<Role>) -> Router {
    let runs = |wanted| role.is_none() || role == Some(wanted);
    let mut router = Router::new().route("/healthz", get(|| async { "ok\n" }));
    if runs(Role::CdcsPss) {
        router = router.route("/cdcs_pss/v1/client", post(client));
    }
    if runs(Role::CdcsMss) {
        router = router.route("/cdcs_mss/v1/image/{sha256}", get(image));
    }
    if runs(Role::Emm) {
        router = router.route("/emm/v1/{ca_system_id}/{chip_id}", get(emms));
        router = router.route(VIOLATIONS_PATH, post(violations));
    }
    router.layer(DefaultBodyLimit::max(METADATA_CAP)).with_state(shared)
}

#[derive(serde::Deserialize)]
struct ClientQuery {
    ca_system_id: String,
}

// spec: M-B01 M-B02 M-B04 M-B05 M-B06
async fn client(
    State(shared): State<Arc<Shared>>,
    Extension(peer): Extension<Peer>,
    Query(query): Query<ClientQuery>,
    body: Bytes,
) -> Answer {
    let request: Option<MetadataRequest> = parse(&body);
    let request_id = request.as_ref().map_or_else(random_id, |request| request.request_id.clone());
    let refuse = |code| refusal(&shared, "cdcs_pss", code, &request_id);
    let request = request
        .as_ref()
        .filter(|request| ca_system(&query.ca_system_id) == Some(request.ca_system_id))
        .ok_or_else(|| refuse(ErrorCode::Malformed))?;
    let device = peer.0.ok_or_else(|| refuse(ErrorCode::AuthFailed))?;
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|_| refuse(ErrorCode::Internal))?;
    let answer = {
        let tickets = shared.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        answer_metadata(&shared.catalogue, &tickets, request, device, id, now()).map_err(refuse)?
    };
    shared.report("cdcs_pss", 200, &request_id);
    Ok(Json(answer).into_response())
}

// spec: M-B08 M-B09 M-B13
async fn image(
    State(shared): State<Arc<Shared>>,
    Extension(peer): Extension<Peer>,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let request_id = random_id();
    let refuse = |code| refusal(&shared, "cdcs_mss", code, &request_id);
    let hash = parse_hex_array(&hash).map_err(|_| refuse(ErrorCode::Malformed))?;
    let device = peer.0.ok_or_else(|| refuse(ErrorCode::AuthFailed))?;
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let ticket = text(TICKET_HEADER).ok_or_else(|| refuse(ErrorCode::AuthFailed))?;
    {
        let mut tickets = shared.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        authorise_image(&mut tickets, ticket, device, &hash, now()).map_err(refuse)?;
    }
    let image = shared.catalogue.image(&hash).ok_or_else(|| refuse(ErrorCode::NoMatchingCdcs))?;
    let from = match text("range") {
        None => 0,
        Some(range) => range_start(range)
            .filter(|from| *from < image.len())
            .ok_or_else(|| refuse(ErrorCode::Malformed))?,
    };
    let status = if from == 0 { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
    let rest = Bytes::from_owner(Rest { image: Arc::clone(&image), from });
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::ACCEPT_RANGES, "bytes");
    if from > 0 {
        let (last, all) = (image.len() - 1, image.len());
        response = response.header(header::CONTENT_RANGE, format!("bytes {from}-{last}/{all}"));
    }
    shared.report("cdcs_mss", status.as_u16(), &request_id);
    response.body(Body::from(rest)).map_err(|_| refuse(ErrorCode::Internal))
}

// spec: D-05
async fn emms(
    State(shared): State<Arc<Shared>>,
    Extension(peer): Extension<Peer>,
    Path((ca_system_id, chip_id)): Path<(String, String)>,
) -> Answer {
    let request_id = random_id();
    let refuse = |code| refusal(&shared, "emm", code, &request_id);
    let ca_system_id = ca_system(&ca_system_id).ok_or_else(|| refuse(ErrorCode::Malformed))?;
    let digits = chip_id.strip_prefix("0x").unwrap_or(&chip_id);
    let chip_id =
        u64::from_str_radix(digits, 16).map(ChipId).map_err(|_| refuse(ErrorCode::Malformed))?;
    match peer.0 {
        None => return Err(refuse(ErrorCode::AuthFailed)),
        Some(device) if device != chip_id => return Err(refuse(ErrorCode::NotAuthorized)),
        Some(_) => {}
    }
    let work = Arc::clone(&shared);
    let sections = tokio::task::spawn_blocking(move || {
        current_emms(&work.data, work.passphrase.as_ref(), ca_system_id, chip_id)
    })
    .await
    .map_err(|_| refuse(ErrorCode::Internal))?
    .map_err(|error| {
        tracing::warn!("EMMs of {chip_id}: {error}");
        refuse(ErrorCode::UpstreamDown)
    })?;
    shared.report("emm", 200, &request_id);
    Ok(encode_sections(&sections).into_response())
}

/// A record of a box: its number and time, and the whole as it came.
#[derive(serde::Deserialize)]
struct Numbered {
    number: u32,
    time: u64,
}

/// Whose records these are says the certificate and nothing else.
// spec: X-12 X-26
async fn violations(
    State(shared): State<Arc<Shared>>,
    Extension(peer): Extension<Peer>,
    body: Bytes,
) -> Answer {
    let request_id = random_id();
    let refuse = |code| refusal(&shared, "report", code, &request_id);
    let device = peer.0.ok_or_else(|| refuse(ErrorCode::AuthFailed))?;
    let records: Vec<Box<serde_json::value::RawValue>> =
        parse(&body).ok_or_else(|| refuse(ErrorCode::Malformed))?;
    let report = |record: &serde_json::value::RawValue| {
        let Numbered { number, time } = serde_json::from_str(record.get()).ok()?;
        let record = record.get().to_owned();
        Some(ViolationReport { number, at: UnixSeconds(time), record })
    };
    let reports: Option<Vec<_>> = records.iter().map(|record| report(record)).collect();
    let reports = reports
        .filter(|reports| reports.len() <= VIOLATIONS_MAX)
        .ok_or_else(|| refuse(ErrorCode::Malformed))?;
    let work = Arc::clone(&shared);
    tokio::task::spawn_blocking(move || -> Result<(), StoreError> {
        Operator::open(&work.data.operator_db())?.keep_violations(device, &reports)
    })
    .await
    .map_err(|_| refuse(ErrorCode::Internal))?
    .map_err(|error| {
        tracing::warn!("records of {device}: {error}");
        refuse(match error {
            StoreError::UnknownChip(_) => ErrorCode::NotAuthorized,
            StoreError::TimeOutOfRange(_) => ErrorCode::Malformed,
            _ => ErrorCode::UpstreamDown,
        })
    })?;
    shared.report("report", 200, &request_id);
    Ok("{}".into_response())
}

/// The rest of an image, without a copy.
struct Rest {
    image: Arc<Vec<u8>>,
    from: usize,
}

impl AsRef<[u8]> for Rest {
    fn as_ref(&self) -> &[u8] {
        self.image.get(self.from..).unwrap_or_default()
    }
}

impl Shared {
    /// One JSON line per answer, for whoever watches the centre.
    fn report(&self, role: &str, status: u16, request_id: &str) {
        if self.events {
            let line = serde_json::json!({
                "event": "centre", "role": role, "status": status, "request_id": request_id,
            });
            eprintln!("{line}");
        }
    }
}

fn refusal(shared: &Shared, role: &str, code: ErrorCode, request_id: &str) -> Refusal {
    shared.report(role, code.status(), request_id);
    tracing::info!("{role}: {code} (request {request_id})");
    Refusal { code, request_id: request_id.to_owned() }
}

fn ca_system(text: &str) -> Option<CaSystemId> {
    u16::try_from(parse_u32(text).ok()?).ok().map(CaSystemId)
}

/// `bytes=N-`, the only range a terminal asks for.
fn range_start(range: &str) -> Option<usize> {
    range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

fn random_id() -> String {
    let mut id = [0; 8];
    // Without randomness the id only loses its use in a log.
    let _ = getrandom::fill(&mut id);
    hex::encode(id)
}
