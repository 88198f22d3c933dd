//! Listening: bounded connections, bounded handshakes, bounded requests.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use portcullis_download::TicketAuthority;
use portcullis_headend::layout::DataDir;
use portcullis_vault::Passphrase;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::catalogue::PublishedClients;
use crate::error::CentreError;
use crate::routes::{Peer, Role, Shared, router};
use crate::tls::{credentials, device};

/// Limits of the centre.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Connections at once (default 256); more wait in the kernel's queue.
    pub connections: usize,
    /// Time for a TLS handshake (default 5 s).
    pub handshake: Duration,
    /// Time for the head of a request (default 10 s).
    pub head: Duration,
    /// Time for a whole connection (default 120 s).
    pub connection: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            handshake: Duration::from_secs(5),
            head: Duration::from_secs(10),
            connection: Duration::from_secs(120),
        }
    }
}

/// What the centre runs with.
pub struct Config {
    /// The data directory.
    pub data: DataDir,
    /// Opens the operator's private files.
    pub passphrase: Option<Passphrase>,
    /// One role only.
    pub role: Option<Role>,
    /// Whether answers are reported as JSON lines.
    pub events: bool,
    /// Limits.
    pub limits: Limits,
}

/// A centre that listens.
pub struct Centre {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    anchor: Arc<Vec<u8>>,
    router: Router,
    limits: Limits,
}

impl Centre {
    /// Opens keys and certificates and listens.
    ///
    /// # Errors
    /// [`CentreError`].
    pub async fn bind(config: Config, address: &str) -> Result<Self, CentreError> {
        let Config { data, passphrase, role, events, limits } = config;
        let credentials = credentials(&data, passphrase.as_ref())?;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| CentreError::Listen { address: address.to_owned(), source })?;
        let shared = Arc::new(Shared {
            catalogue: PublishedClients::new(data.clone(), credentials.operator),
            data,
            passphrase,
            tickets: Mutex::new(TicketAuthority::new(credentials.ticket_key)),
            events,
        });
        Ok(Self {
            listener,
            acceptor: TlsAcceptor::from(credentials.config),
            anchor: credentials.anchor,
            router: router(shared, role),
            limits,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// I/O errors.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the future is dropped.
    pub async fn run(self) {
        let places = Arc::new(Semaphore::new(self.limits.connections));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of descriptors or the like: wait for connections to end.
                    tracing::warn!("accept: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let acceptor = self.acceptor.clone();
            let anchor = Arc::clone(&self.anchor);
            let router = self.router.clone();
            let limits = self.limits;
            tokio::spawn(async move {
                let work = connection(stream, acceptor, &anchor, router, limits);
                if timeout(limits.connection, work).await.is_err() {
                    tracing::info!("connection took too long");
                }
                drop(place);
            });
        }
    }
}

// defends: T-41
async fn connection(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    anchor: &[u8],
    router: Router,
    limits: Limits,
) {
    let _ = stream.set_nodelay(true);
    let stream = match timeout(limits.handshake, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::info!("TLS: {error}"),
        Err(_) => return tracing::info!("TLS handshake took too long"),
    };
    let peer = Peer(stream.get_ref().1.peer_certificates().and_then(|chain| device(chain, anchor)));
    let service = TowerToHyperService::new(router.layer(Extension(peer)));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::info!("connection: {error}");
    }
}
