//! A client that does little but call, and a host that counts.

use portcullis_svm::{
    CallPermitted, Client, Event, GuestMemory, HostFault, Limits, Outcome, Reply, State, Syscall,
    SystemCalls, abi,
};

use super::*;

/// Counts, and looks at nothing else, so that the engines are left alone.
#[derive(Default)]
pub struct Counter {
    pub calls: u64,
    /// Bits of what was called with what, in order.
    sum: u64,
    pub asked: u32,
    /// The call that fails, by its number.
    fails_at: Option<u64>,
}

impl SystemCalls for Counter {
    fn call(
        &mut self,
        permitted: CallPermitted,
        call: Syscall,
        args: &[u32],
        _: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        self.calls += 1;
        if self.fails_at == Some(self.calls) {
            return Err(HostFault::Host("asked to fail"));
        }
        for value in [u32::from(permitted.id()), u32::from(call.id())].iter().chain(args) {
            self.sum =
                self.sum.rotate_left(7).wrapping_mul(0x9E37_79B9).wrapping_add((*value).into());
        }
        Ok(Reply::ok(self.sum as u32))
    }

    fn must_end(&mut self) -> bool {
        self.asked += 1;
        false
    }

    fn is_traced(&self) -> bool {
        false
    }
}

/// A handler that calls `rounds` times, with its own answers for parameters, after so many
/// instructions of nothing.
pub fn calls(nothing: usize, rounds: u32) -> Vec<u32> {
    let mut words = vec![addi(0, 0, 0); nothing];
    words.extend(li(A2, rounds));
    let start = words.len();
    // TokenInfo(a0), a0 ^= a2, Random(0, 0)
    words.extend([sw(A0, SP, -4), addi(SP, SP, -4), abi::trap_word(0x031)]);
    words.push(r(0, 4, A0, A0, A2));
    words.extend([sw(A0, SP, -4), sw(0, SP, -8), addi(SP, SP, -8)]);
    words.push(abi::trap_word(Syscall::Random.id()));
    words.push(addi(A2, A2, -1));
    words.push(branch(1, A2, 0, (start as i32 - words.len() as i32) * 4));
    words.push(ret());
    with_handler(&words)
}

/// Both outcomes, retired and charged, calls with a sum over them and how often the host was asked,
/// the state.
pub type Ended = (Outcome, Outcome, (u64, u64), (u64, u64, u32), State);

/// Initialize and one event of a client that an engine was chosen for.
pub fn ended(
    choose: fn(&mut Client),
    words: &[u32],
    limits: Limits,
    fails_at: Option<u64>,
) -> Ended {
    let mut client: Client = load(words, limits).unwrap();
    choose(&mut client);
    let mut host = Counter { fails_at, ..Counter::default() };
    let first = client.raise(Event::Initialize, &[], &mut host);
    let second = client.raise(Event::Timer, &[], &mut host);
    let spent = (client.retired_instructions(), client.charged_instructions());
    (first, second, spent, (host.calls, host.sum, host.asked), client.state())
}
