//! The native system call library: what the SVM's host does for a client.
//!
//! Clauses: X.1198 7.6 (system calls), 6.2.2 (pointers, tokens are read-only, no key leaves).
//! Every pointer goes through the machine's checked copy; tokens are kept here and given as
//! copies (T-29, T-33). Storage belongs to the client that the verified package names, and its
//! changes become durable when the event ends. What a call cannot answer at once (network,
//! parental check, other clients) it starts, and the answer is a message later.
//!
//! What must never happen: an answer with a key or a control word (the chip gives none), storage
//! or a ladder of another client, a call without a `CallPermitted`, a call that waits for the
//! world outside.

pub(crate) mod card;
mod clock;
pub(crate) mod content;
mod crypto;
mod ladder;
pub(crate) mod messages;
pub(crate) mod network;
mod storage;
pub(crate) mod user;

use portcullis_chipset::SessionId;
use portcullis_crypto::sha256;
use portcullis_store::{ClientName, Disk, SealedStore, StoreError};
use portcullis_svm::abi::{source, status, token};
use portcullis_svm::{
    CallPermitted, GuestMemory, HostFault, RanOut, Reply, Syscall, SystemCalls, Timers,
};
use portcullis_types::{ScpClientId, SuperScpId, VendorSysId};
use serde_json::Value;

use crate::chip::{ChipSealer, SecurityChip};
use crate::embedded_scp::channels::{ChannelEnd, NotSent};
use crate::embedded_scp::provider::ScpId;
use crate::report::Reporter;
use crate::stop::StopRequest;
use card::{NoCard, SmartCard};
pub use clock::{Clock, SystemClock};
pub use content::Content;
use content::ContentBuffer;
use crypto::Keys;
use messages::{Inbox, Message};
use network::Network;
use user::{MediaHooks, PlainMedia};

/// The session number a client sees. One service at a time, so one number.
pub(crate) const GUEST_SESSION: u32 = 1;
/// What a client is told that reaches for one its policy does not name.
const NO_SUCH_PEER: &str = "the client is not in the policy's channel list";

/// Limits of one event of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostLimits {
    /// Log lines (default 32).
    pub log_lines: u32,
    /// Octets of a log line, message or status (default 4096).
    pub text: usize,
    /// Status reports (default 8).
    pub statuses: u32,
    /// Lines for the user (default 4).
    pub ui_lines: u32,
    /// Random octets (default 4096).
    pub random: usize,
    /// Writes to the storage (default 64).
    pub writes: u32,
    /// Commands to a card (default 32).
    pub card_commands: u32,
    /// Derived keys at one time, in all events together (default 16).
    pub keys: usize,
}

impl Default for HostLimits {
    fn default() -> Self {
        Self {
            log_lines: 32,
            text: 4096,
            statuses: 8,
            ui_lines: 4,
            random: 4096,
            writes: 64,
            card_commands: 32,
            keys: 16,
        }
    }
}

/// The host of one running client.
pub struct Host<C: SecurityChip, D: Disk> {
    pub(crate) chip: C,
    store: SealedStore<D>,
    session: SessionId,
    vendor_sys_id: VendorSysId,
    emm_signer: [u8; 32],
    emm: Option<Vec<u8>>,
    ecm: Option<Vec<u8>>,
    content: ContentBuffer,
    limits: HostLimits,
    used: Used,
    reporter: Reporter,
    status: Option<Value>,
    usage_rights: Vec<u8>,
    chip_gone: bool,
    loaded: bool,
    scp_id: Option<ScpId>,
    clock: Box<dyn Clock>,
    timers: Timers,
    inbox: Inbox,
    looked_ms: u64,
    keys: Keys,
    network: Option<Network>,
    channel: Option<ChannelEnd>,
    card: Box<dyn SmartCard>,
    card_is_reset: bool,
    media: Box<dyn MediaHooks>,
    parental_checks: u32,
    stop: StopRequest,
}

/// What an event has used of its limits.
#[derive(Clone, Copy, Default)]
struct Used {
    log_lines: u32,
    statuses: u32,
    ui_lines: u32,
    writes: u32,
    card_commands: u32,
}

impl<C: SecurityChip, D: Disk> Host<C, D> {
    /// The host of a client whose package and chains were verified: `vendor_sys_id` and
    /// `emm_signer` come from there, `session` was opened for that vendor. It has no network, no
    /// channels and no card before it is given them.
    pub fn new(
        chip: C,
        store: SealedStore<D>,
        session: SessionId,
        vendor_sys_id: VendorSysId,
        emm_signer: [u8; 32],
        reporter: Reporter,
    ) -> Self {
        Self {
            chip,
            store,
            session,
            vendor_sys_id,
            emm_signer,
            emm: None,
            ecm: None,
            content: ContentBuffer::default(),
            limits: HostLimits::default(),
            used: Used::default(),
            reporter,
            status: None,
            usage_rights: Vec::new(),
            chip_gone: false,
            loaded: false,
            scp_id: None,
            clock: Box::new(SystemClock::default()),
            timers: Timers::default(),
            inbox: Inbox::default(),
            looked_ms: 0,
            keys: Keys::default(),
            network: None,
            channel: None,
            card: Box::new(NoCard),
            card_is_reset: false,
            media: Box::new(PlainMedia::default()),
            parental_checks: 0,
            stop: StopRequest::default(),
        }
    }

    /// A client that still handles an event some time after this request is ended.
    #[must_use]
    pub fn with_stop(mut self, stop: StopRequest) -> Self {
        self.stop = stop;
        self
    }

    /// The id the provider gave.
    #[must_use]
    pub const fn with_scp_id(mut self, id: ScpId) -> Self {
        self.scp_id = Some(id);
        self
    }

    /// Another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// The hosts that the policy lists.
    #[must_use]
    pub fn with_network(mut self, network: Option<Network>) -> Self {
        self.network = network;
        self
    }

    /// The channels that the policy lists.
    #[must_use]
    pub fn with_channel(mut self, channel: Option<ChannelEnd>) -> Self {
        self.channel = channel;
        self
    }

    /// A card in the slot.
    #[must_use]
    pub fn with_card(mut self, card: impl SmartCard + 'static) -> Self {
        self.card = Box::new(card);
        self
    }

    /// What the media client does for the client.
    #[must_use]
    pub fn with_media(mut self, media: impl MediaHooks + 'static) -> Self {
        self.media = Box::new(media);
        self
    }

    /// The chip session.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// The last status the client gave for the user.
    #[must_use]
    pub const fn status(&self) -> Option<&Value> {
        self.status.as_ref()
    }

    /// The clock of this terminal.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Whether the chip went away during a call.
    pub(crate) const fn chip_is_gone(&self) -> bool {
        self.chip_gone
    }

    /// Whether a control word was loaded since the event began.
    pub(crate) const fn loaded_control_word(&self) -> bool {
        self.loaded
    }

    /// Gives the event its access tokens, by kind, and fresh limits.
    pub(crate) fn begin_event(&mut self, tokens: &[(u32, &[u8])]) {
        self.used = Used::default();
        self.loaded = false;
        let of = |kind| {
            let found = tokens.iter().find(|(of, _)| *of == kind);
            found.map(|(_, octets)| octets.to_vec())
        };
        (self.emm, self.ecm) = (of(token::EMM), of(token::ECM));
        self.content = ContentBuffer { scrambled: of(token::CONTENT), descrambled: None };
    }

    /// What the client made of the content of the last event, if it gave anything back.
    pub(crate) fn take_descrambled(&mut self) -> Option<Vec<u8>> {
        self.content.descrambled.take()
    }

    /// Makes the event's changes of the storage durable, or forgets them.
    pub(crate) fn end_event(&mut self, keep: bool) -> Result<(), StoreError> {
        self.emm = None;
        self.ecm = None;
        self.content.scrambled = None;
        if keep {
            self.store.commit(&mut ChipSealer(&mut self.chip))
        } else {
            self.content.descrambled = None;
            self.store.discard();
            Ok(())
        }
    }

    /// When a timer is due, or when to look for messages: milliseconds of the clock.
    pub(crate) fn poll_timeout(&self) -> Option<u64> {
        // Whoever may have news for us cannot wake us: we look.
        let waits = self.network.as_ref().is_some_and(Network::is_busy)
            || self.channel.as_ref().is_some_and(ChannelEnd::has_peers);
        let look = waits.then(|| self.looked_ms.saturating_add(LOOK_MS));
        let told = self.inbox.has_untold().then_some(0);
        [self.timers.poll_timeout(), look, told].into_iter().flatten().min()
    }

    /// A timer that ran out.
    pub(crate) fn timer_ran_out(&mut self) -> Option<RanOut> {
        self.timers.handle_timeout(self.clock.monotonic_ms())
    }

    /// The next message that no event has told of: source, number, octets.
    pub(crate) fn message_came(&mut self) -> Option<[u32; 3]> {
        self.looked_ms = self.clock.monotonic_ms();
        while self.inbox.has_room() {
            let of_client = |channel: &ChannelEnd| {
                let (number, body) = channel.receive()?;
                Some(Message { source: source::CLIENT, number, body })
            };
            let came = self
                .network
                .as_mut()
                .and_then(Network::poll)
                .or_else(|| self.channel.as_ref().and_then(of_client));
            match came {
                Some(message) => {
                    self.inbox.push(message);
                }
                None => break,
            }
        }
        let message = self.inbox.tell()?;
        Some([message.source, message.number, message.len()])
    }

    /// A client that was stopped has no timers, connections, channels or keys.
    pub(crate) fn release_all(&mut self) {
        self.timers = Timers::default();
        self.inbox = Inbox::default();
        self.keys = Keys::default();
        self.network = None;
        self.channel = None;
    }

    /// Gives the chip back.
    pub(crate) fn into_chip(self) -> C {
        self.chip
    }

    fn token(&self, kind: u32) -> Option<Vec<u8>> {
        match kind {
            token::EMM => self.emm.clone(),
            token::ECM => self.ecm.clone(),
            token::SIGNER => Some(sha256(&[&self.emm_signer]).to_vec()),
            token::CONTENT => self.content.scrambled.clone(),
            _ => None,
        }
    }

    fn channels(
        &mut self,
        call: Syscall,
        args: &[u32],
        memory: &GuestMemory,
    ) -> Result<Reply, HostFault> {
        match (call, args) {
            (Syscall::ChannelOpen, &[super_scp_id, client_id]) => {
                let peer = ClientName {
                    super_scp_id: SuperScpId(super_scp_id),
                    client_id: ScpClientId(client_id),
                };
                let channel = self.channel.as_ref().and_then(|end| end.channel(peer));
                channel.map(Reply::ok).ok_or(HostFault::NotListed(NO_SUCH_PEER))
            }
            (Syscall::ChannelSend, &[channel, ptr, len]) => {
                let message = memory.read(ptr, len)?;
                let sent = match &self.channel {
                    Some(end) => end.send(channel, message),
                    None => Err(NotSent::NotThere),
                };
                Ok(match sent {
                    Ok(()) => Reply::ok(len),
                    Err(NotSent::NotThere) => Reply::error(status::NOT_FOUND),
                    Err(NotSent::Full) => Reply::error(status::QUOTA),
                })
            }
            _ => Err(HostFault::NoSuchCall),
        }
    }
}

/// How often messages of other threads are looked for, in milliseconds.
const LOOK_MS: u64 = 10;

impl<C: SecurityChip, D: Disk> SystemCalls for Host<C, D> {
    fn must_end(&mut self) -> bool {
        self.stop.grace_is_over()
    }

    // spec: X-29 X-32
    // defends: T-28 T-29 T-33
    fn call(
        &mut self,
        _permitted: CallPermitted,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        use Syscall as S;
        match (call, args) {
            (S::GetToken, &[kind, ptr, cap]) => match self.token(kind) {
                Some(token) => Ok(memory.reply_with(ptr, cap, &token)?),
                None => Ok(Reply::error(status::NOT_FOUND)),
            },
            (S::TokenInfo, &[kind]) => Ok(self
                .token(kind)
                .map_or(Reply::error(status::NOT_FOUND), |token| Reply::ok(token.len() as u32))),
            (S::PutContent, &[ptr, len]) => self.content.put(ptr, len, memory),
            (S::GetMsg, &[ptr, cap]) => self.get_message(ptr, cap, memory),
            (S::SyncCall, &[service, ptr, len]) => self.sync_call(service, ptr, len, memory),
            (S::PutMsg | S::Log | S::ClientStatus | S::UiMessage, _) => {
                self.text(call, args, memory)
            }
            (S::Watermark | S::ParentalCheck | S::ExportSession | S::ImportSession, _) => {
                self.hook(call, args, memory)
            }
            (S::SetTimer | S::CancelTimer, _) => self.timer(call, args),
            (
                S::Sha256
                | S::VerifySig
                | S::Random
                | S::AesCmac
                | S::HmacSha256
                | S::HkdfToHandle
                | S::KeyRelease,
                _,
            ) => self.crypto(call, args, memory),
            (S::NvRead | S::NvWrite | S::NvMonotonicInc, _) => self.storage(call, args, memory),
            (S::HttpRequest | S::TlsConnect | S::TlsSend | S::NetClose, _) => {
                self.net(call, args, memory)
            }
            (S::ChannelOpen | S::ChannelSend, _) => self.channels(call, args, memory),
            (S::CardReset | S::CardApdu, _) => self.card(call, args, memory),
            _ => self.ladder(call, args, memory),
        }
    }

    fn is_traced(&self) -> bool {
        false
    }
}

#[cfg(test)]
#[path = "host_tests.rs"]
mod tests;
