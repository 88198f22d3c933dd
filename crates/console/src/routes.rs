//! The HTTP side: the page, snapshots, streams and orders.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, Request, State as Shared};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream::{self, Stream, StreamExt};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_stream::wrappers::BroadcastStream;

use crate::control::{Control, ControlRefused};
use crate::guard::HostGuard;
use crate::state::Phase;
use crate::store::Console;

/// Octets of an order at most.
const ORDER_OCTETS_MAX: usize = 4096;
/// How often time is taken into account.
const SETTLE_PAUSE: Duration = Duration::from_millis(200);
/// Nothing is loaded from elsewhere. The player makes its media source as a blob, and a descrambled
/// recording is one; the scrambler is WebAssembly; the framework sets styles on elements.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
     connect-src 'self' blob:; media-src 'self' blob:; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The server failed.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It cannot listen or accept.
    #[error("page server: {0}")]
    Io(#[from] std::io::Error),
}

#[derive(Clone)]
struct App {
    console: Console,
    control: Arc<dyn Control>,
    guard: HostGuard,
    /// A place for each answer that goes on until its reader leaves.
    readers: Arc<Semaphore>,
}

/// Serves the page until the task is dropped.
///
/// # Errors
/// [`ServeError`] when the listener fails.
pub async fn serve(
    listener: TcpListener,
    console: Console,
    control: Arc<dyn Control>,
) -> Result<(), ServeError> {
    let readers = Arc::new(Semaphore::new(console.limits().readers));
    let app = App { guard: HostGuard::new(listener.local_addr()?), console, control, readers };
    let settle = settle(app.console.clone());
    let serve = axum::serve(listener, router(app));
    tokio::select! {
        result = async { serve.await } => Ok(result?),
        () = settle => Ok(()),
    }
}

async fn settle(console: Console) {
    let mut ticks = tokio::time::interval(SETTLE_PAUSE);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        console.settle();
    }
}

fn router(app: App) -> Router {
    Router::new()
        .route("/api/state", get(state))
        .route("/api/events", get(events))
        .route("/api/boxes", post(add_box))
        .route("/api/boxes/{name}/entitle", post(entitle))
        .route("/api/boxes/{name}/unentitle", post(unentitle))
        .route("/api/boxes/{name}/power", post(power))
        .route("/ts/box/{name}", get(box_stream))
        .route("/ts/air", get(air_stream))
        .route("/healthz", get(health))
        .route("/scrambler.wasm", get(scrambler))
        .fallback(get(page))
        .layer(DefaultBodyLimit::max(ORDER_OCTETS_MAX))
        .layer(middleware::from_fn_with_state(app.clone(), guard))
        .with_state(app)
}

/// Refuses what did not come from a page of this server.
async fn guard(Shared(app): Shared<App>, request: Request, next: Next) -> Response {
    if !app.guard.host_is_ours(request.headers()) {
        return refusal(StatusCode::MISDIRECTED_REQUEST, "this server has another name");
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads && !app.guard.is_order(request.headers()) {
        return refusal(
            StatusCode::FORBIDDEN,
            "orders come from this page and carry the header x-portcullis: 1",
        );
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn page(request: Request) -> Response {
    let Some(files) = portcullis_assets::page() else {
        let text = "The page was not built into this program: install Node.js 20.19 or later and \
                    run `cargo xtask build` again. /api/state and /healthz work without it.\n";
        return (StatusCode::NOT_FOUND, text).into_response();
    };
    let path = request.uri().path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    let Some(file) = files.iter().find(|file| file.path == path) else {
        return refusal(StatusCode::NOT_FOUND, "there is no such page");
    };
    // Names of assets carry a hash of their content.
    let caching =
        if path.starts_with("assets/") { "max-age=31536000, immutable" } else { "no-cache" };
    ([(header::CONTENT_TYPE, file.content_type), (header::CACHE_CONTROL, caching)], file.bytes)
        .into_response()
}

/// What descrambles recordings in the page.
async fn scrambler() -> Response {
    match portcullis_assets::scrambler_wasm() {
        Some(module) => {
            let kind = [(header::CONTENT_TYPE, "application/wasm")];
            (kind, [(header::CACHE_CONTROL, "no-cache")], module).into_response()
        }
        None => refusal(StatusCode::NOT_FOUND, "this program was built without the scrambler"),
    }
}

async fn state(Shared(app): Shared<App>) -> Response {
    Json(app.console.snapshot()).into_response()
}

async fn events(Shared(app): Shared<App>) -> Response {
    let Some(place) = app.place() else { return no_place() };
    let console = app.console;
    let changes = console.changes();
    let snapshots =
        stream::unfold((console, changes, true), |(console, mut changes, first)| async move {
            if !first {
                tokio::time::sleep(console.limits().snapshot_pause).await;
                changes.changed().await.ok()?;
            }
            changes.mark_unchanged();
            let event = Event::default().json_data(console.snapshot()).ok()?;
            Some((Ok::<_, Infallible>(event), (console, changes, false)))
        });
    Sse::new(held(place, snapshots)).keep_alive(KeepAlive::default()).into_response()
}

async fn box_stream(Shared(app): Shared<App>, Path(name): Path<String>) -> Response {
    let Some(output) = app.console.output(&name) else {
        return refusal(StatusCode::NOT_FOUND, "there is no such box");
    };
    match app.place() {
        None => no_place(),
        Some(place) => transport_stream(Body::from_stream(held(place, output.read()))),
    }
}

async fn air_stream(Shared(app): Shared<App>) -> Response {
    let Some(place) = app.place() else { return no_place() };
    // A reader that falls behind misses samples; that is what samples are for.
    let samples = BroadcastStream::new(app.console.air_samples())
        .filter_map(|part| std::future::ready(part.ok().map(Ok::<_, Infallible>)));
    transport_stream(Body::from_stream(held(place, samples)))
}

impl App {
    /// A place for one more answer without an end, if there is one.
    fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.readers).try_acquire_owned().ok()
    }
}

/// The stream, which keeps its reader's place until it is dropped.
fn held<S: Stream>(place: OwnedSemaphorePermit, stream: S) -> impl Stream<Item = S::Item> {
    stream.map(move |item| {
        let _held = &place;
        item
    })
}

fn no_place() -> Response {
    refusal(StatusCode::SERVICE_UNAVAILABLE, "too many readers already")
}

fn transport_stream(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "video/mp2t")], body).into_response()
}

async fn health(Shared(app): Shared<App>) -> Response {
    let state = app.console.snapshot();
    let playing = state.boxes.iter().filter(|each| each.phase == Phase::Playing).count();
    let good = state.channel.on_air && playing > 0;
    let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let boxes: Vec<_> = state
        .boxes
        .iter()
        .map(|each| json!({ "name": each.name, "phase": each.phase, "reason": each.reason }))
        .collect();
    let down: Vec<_> =
        state.processes.iter().filter(|each| !each.running).map(|each| &each.role).collect();
    let body =
        json!({ "on_air": state.channel.on_air, "playing": playing, "boxes": boxes, "down": down });
    (status, Json(body)).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBox {
    name: String,
    vendor: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sale {
    product: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Power {
    on: bool,
}

async fn add_box(Shared(app): Shared<App>, Json(order): Json<NewBox>) -> Response {
    answer(app.control.add_box(order.name, order.vendor).await)
}

async fn entitle(
    Shared(app): Shared<App>,
    Path(name): Path<String>,
    Json(order): Json<Sale>,
) -> Response {
    answer(app.control.entitle(name, order.product).await)
}

async fn unentitle(
    Shared(app): Shared<App>,
    Path(name): Path<String>,
    Json(order): Json<Sale>,
) -> Response {
    answer(app.control.unentitle(name, order.product).await)
}

async fn power(
    Shared(app): Shared<App>,
    Path(name): Path<String>,
    Json(order): Json<Power>,
) -> Response {
    answer(app.control.power(name, order.on).await)
}

fn answer(outcome: Result<(), ControlRefused>) -> Response {
    match outcome {
        Ok(()) => Json(json!({})).into_response(),
        Err(error) => {
            let status = match &error {
                ControlRefused::Wrong(_) => StatusCode::UNPROCESSABLE_ENTITY,
                ControlRefused::Unknown(_) => StatusCode::NOT_FOUND,
                ControlRefused::Failed(_) => StatusCode::BAD_GATEWAY,
            };
            refusal(status, &error.to_string())
        }
    }
}

fn refusal(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}
