//! The event loop: the machine enters the handler, element 0 of the buffer says for what.
//!
//! Clause: X.1198 7.7. The handler is entered only while nothing else runs, so one mutable
//! borrow of client and buffer is all there ever is.

use core::cell::UnsafeCell;

use crate::abi::{EVENT_BUFFER_MIN, event, player, reason};
use crate::{sys, trap};

/// A client: one method for each event. Return values are those of [`crate::abi::reason`].
pub trait Client: Sized {
    /// Initialize: what the client is after its code has started.
    fn initialize() -> Self;

    /// A service was chosen.
    fn select_content(&mut self, session: u32, service_id: u32) -> u32 {
        let _ = (session, service_id);
        reason::OK
    }

    /// An EMM of so many octets waits as token 1.
    fn entitlement(&mut self, token_len: u32) -> u32 {
        let _ = token_len;
        reason::OK
    }

    /// A new ECM of so many octets waits as token 2.
    fn change_key(&mut self, session: u32, token_len: u32) -> u32 {
        let _ = (session, token_len);
        reason::OK
    }

    /// Packets of one parity (0 even, 1 odd) under this client's own algorithm: see
    /// [`crate::content::each`].
    fn descramble(&mut self, session: u32, parity: u32, packets: u32) -> u32 {
        let _ = (session, parity, packets);
        reason::NO_KEY
    }

    /// A timer ran out, so many times since its last event.
    fn timer(&mut self, number: u32, times: u32) -> u32 {
        let _ = (number, times);
        reason::OK
    }

    /// A message waits: take it with [`sys::get_message`].
    fn message(&mut self, source: u32, number: u32) -> u32 {
        let _ = (source, number);
        reason::OK
    }

    /// The client ends after this.
    fn terminate(&mut self) {}

    /// Any event, with its parameters; sorts them to the methods above.
    fn event(&mut self, id: u32, params: &[u32]) -> u32 {
        let param = |i: usize| params.get(i).copied().unwrap_or(0);
        match id {
            event::SELECT_CONTENT => self.select_content(param(0), param(1)),
            event::ENTITLEMENT => self.entitlement(param(0)),
            event::CHANGE_KEY => self.change_key(param(0), param(1)),
            event::DESCRAMBLE => self.descramble(param(0), param(1), param(2)),
            event::TIMER => self.timer(param(0), param(1)),
            event::PLAYER if param(0) == player::MESSAGE => self.message(param(1), param(2)),
            event::TERMINATE => {
                self.terminate();
                reason::OK
            }
            _ => reason::OK,
        }
    }
}

const ELEMENTS: usize = EVENT_BUFFER_MIN as usize;

/// A client and its event parameter buffer; [`crate::client!`] makes the one static of it.
pub struct Events<C> {
    client: UnsafeCell<Option<C>>,
    buffer: UnsafeCell<[u32; ELEMENTS]>,
}

// Safety: the machine has one thread and never enters a handler while one runs.
unsafe impl<C> Sync for Events<C> {}

impl<C: Client> Events<C> {
    /// Before Initialize.
    #[must_use]
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self { client: UnsafeCell::new(None), buffer: UnsafeCell::new([0; ELEMENTS]) }
    }

    /// Registers handler and buffer and makes the client.
    pub fn initialize(&self, handler: extern "C" fn()) {
        trap::<{ crate::abi::call::SET_EVENT_HANDLER }, 1>([handler as usize as u32]);
        trap::<{ crate::abi::call::SET_EVENT_PARAM_BUFFER }, 2>([
            self.buffer.get() as u32,
            ELEMENTS as u32,
        ]);
        let client = C::initialize();
        // Safety: nothing else runs; see the module text.
        unsafe { *self.client.get() = Some(client) };
    }

    /// Handles the event that stands in the buffer.
    pub fn handle(&self) {
        // Safety: nothing else runs, and the machine has filled the buffer before it entered. It
        // is read where it lies; only the return value is written, when nobody reads any more.
        let (client, elements) = unsafe { (&mut *self.client.get(), &*self.buffer.get()) };
        let [id, _, params @ ..] = elements;
        let answer = match client {
            Some(client) => client.event(*id, params),
            None => sys::exit(crate::PANIC),
        };
        // Safety: as above; the machine reads it after the return.
        unsafe { self.buffer.get().cast::<u32>().add(1).write_volatile(answer) };
    }
}

/// Makes a type the client of this program.
#[macro_export]
macro_rules! client {
    ($client:ty) => {
        static EVENTS: $crate::Events<$client> = $crate::Events::new();

        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        extern "C" fn __portcullis_initialize() {
            EVENTS.initialize(__portcullis_event);
        }

        extern "C" fn __portcullis_event() {
            EVENTS.handle();
        }
    };
}
