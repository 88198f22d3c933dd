//! System calls: numbers, signatures, cost, and the interface to the host that answers them.
//!
//! Clause: X.1198 7.6 (sequence; numbers and signatures are ours, listed in
//! `docs/reference/svm.md`). What must never happen: the host is reached without a
//! [`CallPermitted`], or with an argument count that the guest chose.

mod exchange;
mod signature;

use alloc::boxed::Box;
use core::fmt;

pub use self::exchange::Exchange;
use self::signature::CALL_COST;
pub(crate) use self::signature::{HOSTS, MAX_ARGUMENTS, Signature};
use crate::abi;
use crate::event::{Event, State};
use crate::memory::{GuestMemory, MemoryFault};
use crate::monitor::CallPermitted;

macro_rules! syscalls {
    ($($(#[$doc:meta])* $name:ident = $id:path, $args:literal, $cost:literal, $length:expr;)*) => {
        /// A system call of the published table, or a provider's own.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[non_exhaustive]
        pub enum Syscall {
            $($(#[$doc])* $name,)*
            /// A call of the provider-private range.
            ProviderPrivate(u16),
        }

        impl Syscall {
            /// Every call of the published table.
            pub const TABLE: &'static [Self] = &[$(Self::$name),*];

            /// The number in the TRAP word.
            #[must_use]
            pub const fn id(self) -> u16 {
                match self {
                    $(Self::$name => $id,)*
                    Self::ProviderPrivate(id) => id,
                }
            }

            /// The name, as in SYSCALL_SetEventHandler.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                    Self::ProviderPrivate(_) => "ProviderPrivate",
                }
            }

            const fn of_table(id: u16) -> Option<Self> {
                match id {
                    $($id => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// How many parameters the handler pops; a provider states its own.
            #[must_use]
            pub const fn arguments(self) -> usize {
                match self {
                    $(Self::$name => $args,)*
                    Self::ProviderPrivate(_) => 0,
                }
            }

            /// The published charge of one call before its octets, in instructions.
            #[must_use]
            pub const fn base_charge(self) -> u64 {
                match self {
                    $(Self::$name => $cost,)*
                    Self::ProviderPrivate(_) => CALL_COST,
                }
            }

            /// Which parameter is the length of the data worked on.
            const fn length_argument(self) -> Option<usize> {
                match self {
                    $(Self::$name => $length,)*
                    Self::ProviderPrivate(_) => None,
                }
            }
        }
    };
}

syscalls! {
    /// (pc): the client handler, once, in Initialize.
    SetEventHandler = abi::call::SET_EVENT_HANDLER, 1, 0, None;
    /// (ptr, elements): the event parameter buffer, once, in Initialize.
    SetEventParamBuffer = abi::call::SET_EVENT_PARAM_BUFFER, 2, 0, None;
    /// (code): the client ends.
    Exit = abi::call::EXIT, 1, 0, None;
    /// (ptr, len): a message to the host.
    PutMsg = abi::call::PUT_MSG, 2, 50, Some(1);
    /// (ptr, cap) -> len: takes the message that waits longest: source, number, body.
    GetMsg = abi::call::GET_MSG, 2, 50, Some(1);
    /// (service, ptr, len) -> octets: asks a host service; the answer is the next message.
    SyncCall = abi::call::SYNC_CALL, 3, 50, Some(2);
    /// (): octets of heap granted by the policy.
    HeapSize = abi::call::HEAP_SIZE, 0, 0, None;
    /// (): octets of stack granted by the policy.
    StackSize = abi::call::STACK_SIZE, 0, 0, None;
    /// (function, a, b, len): a C library function of [`abi::clib`].
    CLib = abi::call::CLIB, 4, 10, Some(3);
    /// (level, ptr, len): a line for the host's log.
    Log = abi::call::LOG, 3, 50, Some(2);
    /// (kind, ptr, cap) -> len: a copy of an access token.
    GetToken = abi::call::GET_TOKEN, 3, 50, Some(2);
    /// (kind) -> len: how long an access token is.
    TokenInfo = abi::call::TOKEN_INFO, 1, 50, None;
    /// (ptr, len): gives the content of a Descramble event back, descrambled.
    PutContent = abi::call::PUT_CONTENT, 2, 50, Some(1);
    /// (vendor_sys_id): must equal the vendor of the verified package.
    KlSetVendor = abi::call::KL_SET_VENDOR, 1, 50, None;
    /// (ptr, len): the whole sealed unique EMM; loads K2.
    KlSetEk2 = abi::call::KL_SET_EK2, 2, 50, Some(1);
    /// (ptr, len): the whole sealed group EMM; loads K1 if this chip is a member.
    KlSetEk1 = abi::call::KL_SET_EK1, 2, 50, Some(1);
    /// (session, parity, ecw_ptr, uri_ptr, uri_len): loads a control word into the descrambler.
    KlLoadCw = abi::call::KL_LOAD_CW, 5, 50, Some(4);
    /// (nonce_ptr, out_ptr): challenge-response of the ladder.
    KlChallenge = abi::call::KL_CHALLENGE, 2, 50, None;
    /// (ptr, len, out, cap) -> len: verifies and opens a sealed message.
    KlOpenMessage = abi::call::KL_OPEN_MESSAGE, 4, 50, Some(1);
    /// (session): clears the keys of a descrambler session.
    KlRelease = abi::call::KL_RELEASE, 1, 50, None;
    /// (key, ptr, len, out): AES-128-CMAC, 16 octets.
    AesCmac = abi::call::AES_CMAC, 4, 100, Some(2);
    /// (key, ptr, len, out): HMAC-SHA-256, 32 octets.
    HmacSha256 = abi::call::HMAC_SHA256, 4, 200, Some(2);
    /// (ptr, len, out): SHA-256.
    Sha256 = abi::call::SHA256, 3, 50, Some(1);
    /// (key_handle, ptr, len, sig_ptr): verifies an Ed25519 signature.
    VerifySig = abi::call::VERIFY_SIG, 4, 50, Some(2);
    /// (key, salt_ptr, salt_len, info_ptr, info_len) -> handle: derives a key that stays outside.
    HkdfToHandle = abi::call::HKDF_TO_HANDLE, 5, 400, Some(4);
    /// (ptr, len): random octets.
    Random = abi::call::RANDOM, 2, 50, Some(1);
    /// (key): forgets a derived key.
    KeyRelease = abi::call::KEY_RELEASE, 1, 50, None;
    /// (key_ptr, key_len, ptr, cap) -> len: reads a record of the client's storage.
    NvRead = abi::call::NV_READ, 4, 50, Some(3);
    /// (key_ptr, key_len, ptr, len): writes a record of the client's storage.
    NvWrite = abi::call::NV_WRITE, 4, 50, Some(3);
    /// (id) -> value: raises a monotonic counter.
    NvMonotonicInc = abi::call::NV_MONOTONIC_INC, 1, 50, None;
    /// (method, url_ptr, url_len, body_ptr, body_len) -> number: starts an HTTPS request.
    HttpRequest = abi::call::HTTP_REQUEST, 5, 5000, Some(4);
    /// (host_ptr, host_len, port) -> number: starts a TLS connection.
    TlsConnect = abi::call::TLS_CONNECT, 3, 5000, Some(1);
    /// (number, ptr, len): octets for a connection.
    TlsSend = abi::call::TLS_SEND, 3, 500, Some(2);
    /// (number): ends a request or a connection.
    NetClose = abi::call::NET_CLOSE, 1, 50, None;
    /// (kind, ptr, len): a line of text for the user.
    UiMessage = abi::call::UI_MESSAGE, 3, 200, Some(2);
    /// (number, first_ms, period_ms): EVENT_Timer after `first_ms`, then every `period_ms`.
    SetTimer = abi::call::SET_TIMER, 3, 50, None;
    /// (number): no more events of this timer.
    CancelTimer = abi::call::CANCEL_TIMER, 1, 50, None;
    /// (age) -> number: may content for this age be shown? The answer is a message.
    ParentalCheck = abi::call::PARENTAL_CHECK, 1, 200, None;
    /// (ptr, len): status for the user, a JSON object.
    ClientStatus = abi::call::CLIENT_STATUS, 2, 50, Some(1);
    /// (ptr, len): a payload for the watermark of the picture.
    Watermark = abi::call::WATERMARK, 2, 200, Some(1);
    /// (super_scp_id, client_id) -> channel: a way to another client of this terminal.
    ChannelOpen = abi::call::CHANNEL_OPEN, 2, 200, None;
    /// (channel, ptr, len): a message to the client at the other end.
    ChannelSend = abi::call::CHANNEL_SEND, 3, 100, Some(2);
    /// (session, ptr, len) -> number: opens an export of a session to another system.
    ExportSession = abi::call::EXPORT_SESSION, 3, 1000, Some(2);
    /// (ptr, len) -> session: takes over content that another system exported.
    ImportSession = abi::call::IMPORT_SESSION, 2, 1000, Some(1);
    /// (slot, out, cap) -> len: resets the card and gives its answer to reset.
    CardReset = abi::call::CARD_RESET, 3, 2000, Some(2);
    /// (slot, ptr, len, out, cap) -> len: one command to the card and its answer (ISO 7816-4).
    CardApdu = abi::call::CARD_APDU, 5, 2000, Some(2);
}

impl Syscall {
    /// The call of a number; `None` when the table does not have it.
    #[must_use]
    pub fn from_id(id: u16) -> Option<Self> {
        Signature::of_id(id).map(|signature| signature.call)
    }

    /// The call of a name (exact spelling).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::TABLE.iter().copied().find(|call| call.name() == name)
    }

    /// Whether the SVM answers the call itself.
    #[must_use]
    pub const fn is_internal(self) -> bool {
        matches!(
            self,
            Self::SetEventHandler
                | Self::SetEventParamBuffer
                | Self::Exit
                | Self::HeapSize
                | Self::StackSize
        )
    }

    /// The published charge for the host's work, in instructions: what the table says of the call,
    /// and one for each 4 octets. Calls about the machine itself cost nothing beside their TRAP.
    #[must_use]
    pub fn charge(self, args: &[u32]) -> u64 {
        Signature::of(self).charge(|at| args.get(usize::from(at)).copied())
    }
}

impl fmt::Display for Syscall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (0x{:03x})", self.name(), self.id())
    }
}

/// A number that is no system call of this terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("system call 0x{0:03x} does not exist")]
pub struct UnknownSyscall(pub u16);

/// What a system call answers: x10 and x11.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Reply {
    /// The result, in x10.
    pub result: u32,
    /// 0 or a negative error of [`abi::status`], in x11.
    pub status: i32,
}

impl Reply {
    /// Done, with this result.
    #[must_use]
    pub const fn ok(result: u32) -> Self {
        Self { result, status: abi::status::OK }
    }

    /// Refused, with this status.
    #[must_use]
    pub const fn error(status: i32) -> Self {
        Self { result: 0, status }
    }
}

/// Why the host could not answer at all: each of these stops the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostFault {
    /// A pointer argument leads outside the client's memory: a violation.
    #[error(transparent)]
    Memory(#[from] MemoryFault),
    /// The call is of the table, but this host does not have it: a violation.
    #[error("this host does not have the call")]
    NoSuchCall,
    /// The policy has a list for what the call reaches, and this is not on it: a violation.
    #[error("{0}")]
    NotListed(&'static str),
    /// The host itself failed.
    #[error("host failed: {0}")]
    Host(&'static str),
}

/// The system call library of the host.
pub trait SystemCalls {
    /// Answers one permitted call. `args` has exactly `call.arguments()` elements. All guest
    /// memory goes through `memory`, copied in once.
    ///
    /// # Errors
    /// [`HostFault`] stops the client.
    fn call(
        &mut self,
        permitted: CallPermitted,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault>;

    /// Lets [`Self::call`] answer where the machine keeps parameters and answer. Not for a host to
    /// write: it is here so that each host has its own, with its answers put in place.
    #[doc(hidden)]
    #[inline]
    fn answer(
        &mut self,
        permitted: CallPermitted,
        exchange: &mut Exchange,
        memory: &mut GuestMemory,
    ) {
        exchange.answer = match exchange.args() {
            Some(args) => self.call(permitted, exchange.call(), args, memory),
            None => Err(HostFault::NoSuchCall),
        };
    }

    /// Lets a provider's function answer in place of [`Self::call`]. Calls it by default.
    ///
    /// # Errors
    /// [`HostFault`] stops the client.
    fn provided(
        &mut self,
        function: &mut ProviderFunction,
        permitted: CallPermitted,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        function(permitted, args, memory)
    }

    /// Asked after every [`crate::SLICE`] instructions of an event: must the client end now?
    /// Never by default.
    fn must_end(&mut self) -> bool {
        false
    }

    /// Whether [`Self::trace`] is to be called; asked once in every event. A host that does not
    /// look on saves the machine three calls for each system call.
    fn is_traced(&self) -> bool {
        true
    }

    /// Sees each step of the state machine and of the call sequence. Does nothing by default.
    fn trace(&mut self, step: TraceStep<'_>) {
        let _ = step;
    }
}

/// One step as [`SystemCalls::trace`] sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TraceStep<'a> {
    /// The state changed.
    State {
        /// Before.
        from: State,
        /// After.
        to: State,
    },
    /// The client handler (or the init code) is entered.
    Enter {
        /// The event.
        event: Event,
        /// Where it starts.
        pc: u32,
    },
    /// TRAP: x31 holds the return address, the parameters are still on the stack.
    Trap {
        /// The id of the TRAP word.
        id: u16,
        /// Stack address before the pops.
        stack: u32,
        /// x31.
        return_pc: u32,
    },
    /// The policy monitor refused.
    Denied {
        /// The id of the TRAP word.
        id: u16,
        /// The event it happened in.
        event: Event,
    },
    /// The call was made.
    Called {
        /// The call.
        call: Syscall,
        /// Its parameters, first pushed first.
        args: &'a [u32],
        /// Stack address after the pops.
        stack: u32,
        /// What it answered.
        reply: Reply,
        /// Whether a provider's function answered instead of the native one.
        by_provider: bool,
    },
    /// The PC is what x31 held; result and status are in x10 and x11.
    Resumed {
        /// Where the client goes on.
        pc: u32,
    },
}

/// A function of a security provider that stands in for a native call (X.1198 7, provider API).
pub type ProviderFunction = Box<
    dyn FnMut(CallPermitted, &[u32], &mut GuestMemory) -> Result<Reply, HostFault> + Send + 'static,
>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_ascending_and_round_trips() {
        let ids: alloc::vec::Vec<u16> = Syscall::TABLE.iter().map(|call| call.id()).collect();
        assert!(ids.is_sorted());
        for call in Syscall::TABLE {
            assert_eq!(Syscall::from_id(call.id()), Some(*call));
            assert_eq!(Syscall::from_name(call.name()), Some(*call));
            assert!(call.arguments() <= MAX_ARGUMENTS);
            assert!(call.length_argument().is_none_or(|at| at < call.arguments()));
        }
        assert_eq!(Syscall::from_id(0x000), None);
        assert_eq!(Syscall::from_id(0x7FF), Some(Syscall::ProviderPrivate(0x7FF)));
        assert_eq!(Syscall::from_id(0x800), None);
    }
}
