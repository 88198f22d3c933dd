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
    /// `HeapSize`
    pub const HEAP_SIZE: u16 = 0x014;
    /// `StackSize`
    pub const STACK_SIZE: u16 = 0x015;
    /// `Log`
    pub const LOG: u16 = 0x020;
    /// `GetToken`
    pub const GET_TOKEN: u16 = 0x030;
    /// `TokenInfo`
    pub const TOKEN_INFO: u16 = 0x031;
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
    /// `Sha256`
    pub const SHA256: u16 = 0x052;
    /// `VerifySig`
    pub const VERIFY_SIG: u16 = 0x053;
    /// `Random`
    pub const RANDOM: u16 = 0x055;
    /// `NvRead`
    pub const NV_READ: u16 = 0x060;
    /// `NvWrite`
    pub const NV_WRITE: u16 = 0x061;
    /// `NvMonotonicInc`
    pub const NV_MONOTONIC_INC: u16 = 0x062;
    /// `ClientStatus`
    pub const CLIENT_STATUS: u16 = 0x084;
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
}

/// Handles of verification keys.
pub mod key {
    /// The operator's EMM signing key, from the verified platform-operation chain.
    pub const OPERATOR_EMM: u32 = 1;
}

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
