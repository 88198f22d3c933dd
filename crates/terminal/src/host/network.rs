//! The calls of the network: HTTPS requests and TLS connections to the hosts of the policy.
//!
//! Clauses: X.1198 7.4 (transport protection), 7.5 (policy). A call starts the work and comes
//! back at once; a thread of the terminal does it, and what comes of it is a message. The verified
//! policy names host and port; a host that it does not name is a violation. TLS 1.3 only; the
//! certificate is the one the policy pins, or one for the name under the terminal's trust anchor.
//!
//! What must never happen: an octet to a host that the policy does not name; a machine that waits
//! for a network; more threads, connections or octets than the limits.

mod tls;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use portcullis_package::NetworkHost;
use portcullis_store::Disk;
use portcullis_svm::abi::{method, source, status};
use portcullis_svm::{GuestMemory, HostFault, Reply, Syscall};
use rustls::ClientConfig;

use super::Host;
use super::messages::{BODY, Message};
use crate::chip::SecurityChip;
use worker::{Request, Work};

/// What the network of one client may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NetworkLimits {
    /// Requests and connections at one time, each with its thread (default 4).
    pub at_once: usize,
    /// Requests and connections in a minute (default 30).
    pub per_minute: usize,
    /// Octets of an answer's body (default 32 KiB).
    pub answer: usize,
    /// Octets of a request's path and query (default 1024).
    pub path: usize,
    /// Octets of a request's body, and of one `TlsSend` (default 16 KiB).
    pub send: usize,
    /// Time for connecting and handshake (default 10 s).
    pub connect: Duration,
    /// Time for a whole request (default 30 s).
    pub request: Duration,
    /// Time for a whole connection (default 600 s).
    pub connection: Duration,
}

impl Default for NetworkLimits {
    fn default() -> Self {
        Self {
            at_once: 4,
            per_minute: 30,
            answer: 32 << 10,
            path: 1024,
            send: 16 << 10,
            connect: Duration::from_secs(10),
            request: Duration::from_secs(30),
            connection: Duration::from_secs(600),
        }
    }
}

/// Messages of the threads that wait to be taken over.
const ARRIVALS: usize = 8;
/// Octets strings that wait for one connection.
const OUTGOING: usize = 16;
/// Longest start of a URL: scheme, host name and port.
const AUTHORITY: usize = 8 + 253 + 6;
/// What a host that is not in the policy is told.
const NOT_LISTED: &str = "the host is not in the policy's network list";

/// The network of one client.
pub struct Network {
    hosts: Vec<(NetworkHost, Arc<ClientConfig>)>,
    limits: NetworkLimits,
    running: BTreeMap<u32, Running>,
    next: u32,
    /// When the last ones were started, in milliseconds.
    started: Vec<u64>,
    /// Each thread holds one: a thread that was told to end still counts until it has.
    threads: Arc<()>,
    sender: SyncSender<(u32, worker::Arrival)>,
    arrivals: Receiver<(u32, worker::Arrival)>,
}

/// A request or connection whose end the client has not seen.
struct Running {
    cancelled: Arc<AtomicBool>,
    /// A connection's; a request has none.
    outgoing: Option<SyncSender<Vec<u8>>>,
}

impl Network {
    /// The network of a client: the hosts are those of its verified policy, `anchor` is the trust
    /// anchor of the platform image. `None` when no host is listed.
    ///
    /// # Errors
    /// A line that says why TLS cannot be set up.
    pub fn new(
        hosts: &[NetworkHost],
        anchor: &[u8],
        limits: NetworkLimits,
    ) -> Result<Option<Self>, String> {
        if hosts.is_empty() {
            return Ok(None);
        }
        let hosts: Result<_, String> = hosts
            .iter()
            .map(|host| Ok((host.clone(), tls::config(anchor, host.certificate)?)))
            .collect();
        let (sender, arrivals) = sync_channel(ARRIVALS);
        Ok(Some(Self {
            hosts: hosts?,
            limits,
            running: BTreeMap::new(),
            next: 1,
            started: Vec::new(),
            threads: Arc::new(()),
            sender,
            arrivals,
        }))
    }

    /// A host of the policy, exactly.
    // spec: X-56
    // defends: T-30
    fn host(&self, name: &str, port: u32) -> Result<(NetworkHost, Arc<ClientConfig>), HostFault> {
        let is = |host: &NetworkHost| {
            host.name.eq_ignore_ascii_case(name) && u32::from(host.port) == port
        };
        let known = self.hosts.iter().find(|(host, _)| is(host));
        known.cloned().ok_or(HostFault::NotListed(NOT_LISTED))
    }

    /// Starts a thread, within the limits.
    // defends: T-31
    fn start(
        &mut self,
        host: NetworkHost,
        config: Arc<ClientConfig>,
        request: Option<Request>,
        now: u64,
    ) -> Reply {
        self.started.retain(|at| now.saturating_sub(*at) < 60_000);
        let threads = Arc::strong_count(&self.threads) - 1;
        if threads >= self.limits.at_once || self.started.len() >= self.limits.per_minute {
            return Reply::error(status::QUOTA);
        }
        let number = self.next;
        let Some(next) = number.checked_add(1) else { return Reply::error(status::QUOTA) };
        let cancelled = Arc::new(AtomicBool::new(false));
        let (outgoing, queue) = sync_channel(OUTGOING);
        let is_connection = request.is_none();
        let work = Work {
            number,
            host,
            config,
            request,
            limits: self.limits,
            queue,
            cancelled: Arc::clone(&cancelled),
            arrivals: self.sender.clone(),
            alive: Arc::clone(&self.threads),
        };
        let name = format!("client-net-{number}");
        if std::thread::Builder::new().name(name).spawn(move || work.run()).is_err() {
            return Reply::error(status::DEVICE);
        }
        self.next = next;
        self.started.push(now);
        let outgoing = is_connection.then_some(outgoing);
        self.running.insert(number, Running { cancelled, outgoing });
        Reply::ok(number)
    }

    fn send(&self, number: u32, octets: Vec<u8>) -> Reply {
        let connection = self.running.get(&number).and_then(|running| running.outgoing.as_ref());
        let Some(outgoing) = connection else { return Reply::error(status::NOT_FOUND) };
        let len = octets.len() as u32;
        match outgoing.try_send(octets) {
            Ok(()) => Reply::ok(len),
            Err(TrySendError::Full(_)) => Reply::error(status::QUOTA),
            Err(TrySendError::Disconnected(_)) => Reply::error(status::NOT_FOUND),
        }
    }

    fn close(&mut self, number: u32) -> Reply {
        match self.running.remove(&number) {
            Some(running) => {
                running.cancelled.store(true, Ordering::Relaxed);
                Reply::ok(0)
            }
            None => Reply::error(status::NOT_FOUND),
        }
    }

    /// What a thread has brought, of those that were not closed.
    pub(super) fn poll(&mut self) -> Option<Message> {
        // At most as many as can wait: the others are closed ones' last words.
        for (number, arrival) in self.arrivals.try_iter().take(ARRIVALS) {
            if !self.running.contains_key(&number) {
                continue;
            }
            if arrival.is_last() {
                self.running.remove(&number);
            }
            return Some(Message { source: source::NETWORK, number, body: arrival.body() });
        }
        None
    }

    /// Whether something may still come.
    pub(super) fn is_busy(&self) -> bool {
        !self.running.is_empty()
    }
}

impl Drop for Network {
    /// The client is gone: its threads end at their next look.
    fn drop(&mut self) {
        for running in self.running.values() {
            running.cancelled.store(true, Ordering::Relaxed);
        }
    }
}

impl<C: SecurityChip, D: Disk> Host<C, D> {
    pub(super) fn net(
        &mut self,
        call: Syscall,
        args: &[u32],
        memory: &GuestMemory,
    ) -> Result<Reply, HostFault> {
        let now = self.clock.monotonic_ms();
        // Pointers first: they are looked at whatever the policy says.
        let (first, second) = match (call, args) {
            (Syscall::HttpRequest, &[_, url, url_len, body, body_len]) => {
                (memory.read(url, url_len)?, memory.read(body, body_len)?)
            }
            (Syscall::TlsConnect, &[host, len, _]) => (memory.read(host, len)?, Vec::new()),
            (Syscall::TlsSend, &[_, ptr, len]) => (memory.read(ptr, len)?, Vec::new()),
            _ => (Vec::new(), Vec::new()),
        };
        let Some(network) = &mut self.network else {
            return match call {
                Syscall::HttpRequest | Syscall::TlsConnect => Err(HostFault::NotListed(NOT_LISTED)),
                _ => Ok(Reply::error(status::NOT_FOUND)),
            };
        };
        match (call, args) {
            (Syscall::HttpRequest, &[verb, ..]) => network.http(verb, &first, second, now),
            (Syscall::TlsConnect, &[.., port]) => {
                let name = str::from_utf8(&first).unwrap_or_default();
                let (host, config) = network.host(name, port)?;
                Ok(network.start(host, config, None, now))
            }
            (Syscall::TlsSend, &[number, ..]) if first.len() <= network.limits.send => {
                Ok(network.send(number, first))
            }
            (Syscall::TlsSend, _) => Ok(Reply::error(status::QUOTA)),
            (Syscall::NetClose, &[number]) => Ok(network.close(number)),
            _ => Err(HostFault::NoSuchCall),
        }
    }
}

impl Network {
    fn http(&mut self, verb: u32, url: &[u8], body: Vec<u8>, now: u64) -> Result<Reply, HostFault> {
        let malformed = Ok(Reply::error(status::MALFORMED));
        if url.len() > AUTHORITY + self.limits.path || body.len() > self.limits.send {
            return Ok(Reply::error(status::QUOTA));
        }
        let Some((name, port, path)) = str::from_utf8(url).ok().and_then(take_apart) else {
            return malformed;
        };
        let verb = match verb {
            method::GET if body.is_empty() => "GET",
            method::POST => "POST",
            _ => return Ok(Reply::error(status::BAD_ARGUMENT)),
        };
        let (host, config) = self.host(name, port)?;
        let request = Request { verb, path: path.to_owned(), body };
        Ok(self.start(host, config, Some(request), now))
    }
}

/// `https://host[:port][/path]` with nothing in it that could end a line or a word.
// defends: T-30
fn take_apart(url: &str) -> Option<(&str, u32, &str)> {
    let rest = url.strip_prefix("https://")?;
    if !rest.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'#') {
        return None;
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    if path.starts_with('?') || authority.contains('@') {
        return None;
    }
    let (name, port) = match authority.split_once(':') {
        Some((name, port)) => (name, port.parse::<u16>().ok()?),
        None => (authority, 443),
    };
    Some((name, port.into(), if path.is_empty() { "/" } else { path }))
}

/// Whether a body fits a message beside its first two words.
const _: () = assert!((32 << 10) + 8 <= BODY);

#[cfg(test)]
#[path = "network/tests.rs"]
mod tests;
