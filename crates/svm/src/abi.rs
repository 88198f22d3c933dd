//! Numbers that machine, host and guest programs share: the guest SDK reads this very module.
//!
//! Clauses: X.1198 7.6 and 7.7 name calls and events without numbering them; the numbers are ours
//! and are published in `docs/reference/svm.md`. A number once published never changes meaning.

/// Where a client's writable memory begins. The code image lies below, at its load offset.
pub const RAM_BASE: u32 = 0x1000_0000;
/// Size of the unmapped gap between writable memory and the stack above it.
pub const GUARD_BYTES: u32 = 4096;
/// Top of the stack of a plain program (`svm run` of an ELF file).
pub const PROGRAM_STACK_TOP: u32 = 0x7FF0_0000;
/// The return address a handler starts with: a jump here ends the event.
pub const RETURN_ADDRESS: u32 = 0xFFFF_FFF0;
/// System call ids are the 12-bit immediate of TRAP, non-negative: 0 to 0x7FF.
pub const SYSCALL_IDS: usize = 0x800;
/// First id of the provider-private range.
pub const PROVIDER_PRIVATE: u16 = 0x400;
/// Fewest elements of an event parameter buffer.
pub const EVENT_BUFFER_MIN: u32 = 16;
/// Most elements of an event parameter buffer.
pub const EVENT_BUFFER_MAX: u32 = 1024;
/// Elements before the parameters: event id and return value.
pub const EVENT_BUFFER_HEADER: u32 = 2;
/// Most parameters of one event.
pub const EVENT_PARAMS_MAX: usize = 14;
/// Most octets one system call moves through one pointer.
pub const CALL_BYTES_MAX: u32 = 64 * 1024;

/// The TRAP word for a system call id: `.insn i 0x0B, 0, x31, x2, ID`.
#[must_use]
pub const fn trap_word(id: u16) -> u32 {
    ((id as u32 & 0x7FF) << 20) | (2 << 15) | (31 << 7) | 0x0B
}

/// Ids of the system calls; signatures are in `docs/reference/svm.md`.
pub mod call {
    /// `SetEventHandler`
    pub const SET_EVENT_HANDLER: u16 = 0x001;
    /// `SetEventParamBuffer`
    pub const SET_EVENT_PARAM_BUFFER: u16 = 0x002;
    /// `Exit`
    pub const EXIT: u16 = 0x010;
    /// `PutMsg`
    pub const PUT_MSG: u16 = 0x011;
    /// `GetMsg`
    pub const GET_MSG: u16 = 0x012;
    /// `SyncCall`
    pub const SYNC_CALL: u16 = 0x013;
    /// `HeapSize`
    pub const HEAP_SIZE: u16 = 0x014;
    /// `StackSize`
    pub const STACK_SIZE: u16 = 0x015;
    /// `CLib`
    pub const CLIB: u16 = 0x016;
    /// `Log`
    pub const LOG: u16 = 0x020;
    /// `GetToken`
    pub const GET_TOKEN: u16 = 0x030;
    /// `TokenInfo`
    pub const TOKEN_INFO: u16 = 0x031;
    /// `PutContent`
    pub const PUT_CONTENT: u16 = 0x032;
    /// `KlSetVendor`
    pub const KL_SET_VENDOR: u16 = 0x040;
    /// `KlSetEk2`
    pub const KL_SET_EK2: u16 = 0x042;
    /// `KlSetEk1`
    pub const KL_SET_EK1: u16 = 0x043;
    /// `KlLoadCw`
    pub const KL_LOAD_CW: u16 = 0x044;
    /// `KlChallenge`
    pub const KL_CHALLENGE: u16 = 0x045;
    /// `KlOpenMessage`
    pub const KL_OPEN_MESSAGE: u16 = 0x046;
    /// `KlRelease`
    pub const KL_RELEASE: u16 = 0x047;
    /// `AesCmac`
    pub const AES_CMAC: u16 = 0x050;
    /// `HmacSha256`
    pub const HMAC_SHA256: u16 = 0x051;
    /// `Sha256`
    pub const SHA256: u16 = 0x052;
    /// `VerifySig`
    pub const VERIFY_SIG: u16 = 0x053;
    /// `HkdfToHandle`
    pub const HKDF_TO_HANDLE: u16 = 0x054;
    /// `Random`
    pub const RANDOM: u16 = 0x055;
    /// `KeyRelease`
    pub const KEY_RELEASE: u16 = 0x056;
    /// `NvRead`
    pub const NV_READ: u16 = 0x060;
    /// `NvWrite`
    pub const NV_WRITE: u16 = 0x061;
    /// `NvMonotonicInc`
    pub const NV_MONOTONIC_INC: u16 = 0x062;
    /// `HttpRequest`
    pub const HTTP_REQUEST: u16 = 0x070;
    /// `TlsConnect`
    pub const TLS_CONNECT: u16 = 0x071;
    /// `TlsSend`
    pub const TLS_SEND: u16 = 0x072;
    /// `NetClose`
    pub const NET_CLOSE: u16 = 0x073;
    /// `UiMessage`
    pub const UI_MESSAGE: u16 = 0x080;
    /// `SetTimer`
    pub const SET_TIMER: u16 = 0x081;
    /// `CancelTimer`
    pub const CANCEL_TIMER: u16 = 0x082;
    /// `ParentalCheck`
    pub const PARENTAL_CHECK: u16 = 0x083;
    /// `ClientStatus`
    pub const CLIENT_STATUS: u16 = 0x084;
    /// `Watermark`
    pub const WATERMARK: u16 = 0x085;
    /// `ChannelOpen`
    pub const CHANNEL_OPEN: u16 = 0x090;
    /// `ChannelSend`
    pub const CHANNEL_SEND: u16 = 0x091;
    /// `ExportSession`
    pub const EXPORT_SESSION: u16 = 0x092;
    /// `ImportSession`
    pub const IMPORT_SESSION: u16 = 0x093;
    /// `CardReset`
    pub const CARD_RESET: u16 = 0x0A0;
    /// `CardApdu`
    pub const CARD_APDU: u16 = 0x0A1;
}

/// Ids of the events.
pub mod event {
    /// `Initialize`
    pub const INITIALIZE: u32 = 1;
    /// `SelectContent`
    pub const SELECT_CONTENT: u32 = 2;
    /// `Entitlement`
    pub const ENTITLEMENT: u32 = 3;
    /// `ChangeKey`
    pub const CHANGE_KEY: u32 = 4;
    /// `Descramble`
    pub const DESCRAMBLE: u32 = 5;
    /// `Player`
    pub const PLAYER: u32 = 6;
    /// `Timer`
    pub const TIMER: u32 = 7;
    /// `Terminate`
    pub const TERMINATE: u32 = 8;
}

/// Kinds of access token for `GetToken` and `TokenInfo`.
pub mod token {
    /// The EMM section of the current Entitlement event.
    pub const EMM: u32 = 1;
    /// The ECM section of the current ChangeKey event.
    pub const ECM: u32 = 2;
    /// Id of the key that handle 1 of `VerifySig` stands for.
    pub const SIGNER: u32 = 3;
    /// The scrambled content of the current Descramble event: for each packet PID and length, 16
    /// bits each, little-endian, then the payload.
    pub const CONTENT: u32 = 4;
}

/// Octets before each payload of the content: PID, length.
pub const CONTENT_HEAD: u32 = 4;

/// Handles of keys. A key is named, never seen.
pub mod key {
    /// The operator's EMM signing key, from the verified platform-operation chain.
    pub const OPERATOR_EMM: u32 = 1;
    /// A secret of this client on this chip, made when it is first used; for `AesCmac`,
    /// `HmacSha256` and `HkdfToHandle`.
    pub const CLIENT_SECRET: u32 = 2;
    /// Handles from here on are keys that `HkdfToHandle` made.
    pub const FIRST_DERIVED: u32 = 0x100;
}

/// Sources of messages: element 1 of the parameters of a Player event, and the first word of what
/// `GetMsg` gives.
pub mod source {
    /// A host service that `SyncCall` asked.
    pub const SERVICE: u32 = 1;
    /// The network: a request or a connection.
    pub const NETWORK: u32 = 2;
    /// The parental check.
    pub const PARENTAL: u32 = 3;
    /// Another client of this terminal.
    pub const CLIENT: u32 = 4;
}

/// What a Player event tells: element 0 of its parameters.
pub mod player {
    /// A message waits for `GetMsg`: (MESSAGE, source, number, octets).
    pub const MESSAGE: u32 = 1;
}

/// Octets of a message before its body: source, number.
pub const MESSAGE_HEAD: u32 = 8;

/// First word of a message from the network.
pub mod net {
    /// `HttpRequest`: the answer; a word with the HTTP status, then the body.
    pub const ANSWER: u32 = 1;
    /// `TlsConnect`: the connection stands.
    pub const CONNECTED: u32 = 2;
    /// Octets of a connection.
    pub const DATA: u32 = 3;
    /// The connection ended.
    pub const CLOSED: u32 = 4;
    /// It failed; a line that says why.
    pub const FAILED: u32 = 5;
}

/// Methods of `HttpRequest`.
pub mod method {
    /// GET, without a body.
    pub const GET: u32 = 1;
    /// POST.
    pub const POST: u32 = 2;
}

/// Services of `SyncCall`.
pub mod service {
    /// The time: 8 octets, seconds since 1970, big-endian. The request is empty.
    pub const TIME: u32 = 1;
    /// The terminal: a JSON object. The request is empty.
    pub const TERMINAL: u32 = 2;
    /// The client's globally unique SCP id: 32 octets. The request is empty.
    pub const SCP_ID: u32 = 3;
}

/// Body of a message of the parental check, one word.
pub mod parental {
    /// The programme may be shown.
    pub const ALLOWED: u32 = 1;
    /// It may not.
    pub const DENIED: u32 = 2;
}

/// Functions of `CLib`.
pub mod clib {
    /// (to, from, len): `memmove`.
    pub const MEMMOVE: u32 = 1;
    /// (to, octet, len): `memset`.
    pub const MEMSET: u32 = 2;
    /// (a, b, len) -> -1, 0 or 1: `memcmp`.
    pub const MEMCMP: u32 = 3;
    /// (text, 0, most) -> length: `strnlen`.
    pub const STRNLEN: u32 = 4;
}

/// Timers of one client, numbered from 0.
pub const TIMERS: u32 = 8;
/// Shortest time of a timer, in milliseconds.
pub const TIMER_MIN_MS: u32 = 10;
/// Longest time of a timer, in milliseconds: seven days.
pub const TIMER_MAX_MS: u32 = 7 * 24 * 3600 * 1000;

/// What x11 holds after a system call, as `i32`.
pub mod status {
    /// Done.
    pub const OK: i32 = 0;
    /// An argument makes no sense (not a bad pointer: that stops the client).
    pub const BAD_ARGUMENT: i32 = -1;
    /// No such token, record or handle.
    pub const NOT_FOUND: i32 = -2;
    /// The output buffer is too small; x10 holds the length needed.
    pub const TOO_SMALL: i32 = -3;
    /// The message does not authenticate under this chip's keys.
    pub const BAD_MAC: i32 = -4;
    /// The bit of this chip in the group EMM is clear: K1 was not loaded.
    pub const NOT_MEMBER: i32 = -5;
    /// A key of the ladder that this call needs is not loaded.
    pub const NO_KEY: i32 = -6;
    /// The quota of storage, log or calls is used up.
    pub const QUOTA: i32 = -7;
    /// The signature does not verify.
    pub const BAD_SIGNATURE: i32 = -8;
    /// The message has no legal form.
    pub const MALFORMED: i32 = -9;
    /// Not the vendor of the verified package.
    pub const WRONG_VENDOR: i32 = -10;
    /// This terminal does not have the function.
    pub const UNSUPPORTED: i32 = -11;
    /// The chip or the storage failed.
    pub const DEVICE: i32 = -12;
    /// There is no card in the slot.
    pub const NO_CARD: i32 = -13;
}

/// Return values of the client handler (element 1 of the event parameter buffer).
pub mod reason {
    /// Done.
    pub const OK: u32 = 0;
    /// No entitlement for the product.
    pub const NOT_ENTITLED: u32 = 1;
    /// Entitled, but K1 of the epoch has not come.
    pub const NO_KEY: u32 = 2;
    /// The message could not be read or authenticated.
    pub const BAD_MESSAGE: u32 = 3;
    /// The entitlement has ended.
    pub const EXPIRED: u32 = 4;
    /// An older message was played again.
    pub const REPLAYED: u32 = 5;
    /// The message is for other terminals.
    pub const NOT_FOR_US: u32 = 6;
}
