//! A client that does little but call, and a host that counts.

use portcullis_svm::{
    CallPermitted, Client, Denied, Event, Fault, GuestMemory, HostFault, Limits, Outcome,
    PermitTable, Reply, State, Syscall, SystemCalls, ViolationKind, abi,
};

use super::*;

/// Counts, and looks at nothing else unless it is told to, so that the engines are left alone.
#[derive(Default)]
pub struct Counter {
    pub calls: u64,
    /// Bits of what was called with what, in order.
    sum: u64,
    pub asked: u32,
    /// The call that fails, by its number.
    fails_at: Option<u64>,
    is_traced: bool,
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
        self.is_traced
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
    let host = Counter { fails_at, ..Counter::default() };
    ended_with(choose, words, everything(), limits, host)
}

fn ended_with(
    choose: fn(&mut Client),
    words: &[u32],
    permits: PermitTable,
    limits: Limits,
    mut host: Counter,
) -> Ended {
    let mut client = Client::load(&image(words), permits, limits).unwrap();
    choose(&mut client);
    let first = client.raise(Event::Initialize, &[], &mut host);
    let second = client.raise(Event::Timer, &[], &mut host);
    let spent = (client.retired_instructions(), client.charged_instructions());
    (first, second, spent, (host.calls, host.sum, host.asked), client.state())
}

/// Of each number of parameters one call of the host's, the longest with a length; a private one;
/// then calls that somebody else answers, and one that does not exist.
const IDS: [u16; 10] = [0x031, 0x055, 0x030, 0x050, 0x044, 0x400, 0x016, 0x014, 0x010, 0x3F0];

/// Where the stack is when the call is made: below its top, at its bottom, in the data, in the
/// code, and nowhere. The flag says that parameters may be stored there.
fn stacks(limits: &Limits) -> Vec<(Vec<u32>, bool)> {
    let Limits { ram_bytes, stack_bytes, .. } = *limits;
    let bottom = abi::RAM_BASE + ram_bytes + abi::GUARD_BYTES;
    let below_top = [0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 16, 19, 20, 32, 35];
    let places = below_top.map(|octets| bottom + stack_bytes - octets).into_iter().chain([
        bottom,
        bottom - 1,
        bottom - 4,
        abi::RAM_BASE,
        abi::RAM_BASE + 64,
        abi::RAM_BASE + ram_bytes - 4,
        0,
        u32::MAX,
        u32::MAX - 3,
        u32::MAX - 7,
    ]);
    let room = |at: u32| [bottom + stack_bytes - 32, bottom, abi::RAM_BASE + 64].contains(&at);
    places.map(|at| (li(SP, at).to_vec(), room(at))).collect()
}

/// A handler that makes the call twice, and tells by another what it left in SP, x10 and x11.
fn twice(id: u16, stack: &[u32], may_store: bool) -> Vec<u32> {
    let mut words = Vec::new();
    for _ in 0..2 {
        words.extend(stack);
        for at in 0..if may_store { 5 } else { 0 } {
            words.extend(li(T0, 0x101 * at + 7));
            words.push(sw(T0, SP, at as i32 * 4));
        }
        words.push(abi::trap_word(id));
        words.extend([r(0, 4, A0, A0, A1), r(0, 4, A0, A0, SP), r(0, 4, A0, A0, X31)]);
        words.extend(li(SP, abi::RAM_BASE + 256));
        words.extend([sw(A0, SP, 0), abi::trap_word(WITNESS)]);
    }
    words.push(ret());
    with_handler(&words)
}

/// CancelTimer.
const WITNESS: u16 = 0x082;

/// A call that is permitted, and so often as is wanted; once; only in another event.
fn tables(id: u16) -> [PermitTable; 3] {
    let mut tables = [(); 3].map(|()| PermitTable::deny_all());
    for table in &mut tables {
        for id in [0x001, 0x002, WITNESS] {
            Event::ALL.into_iter().for_each(|event| table.permit(event, id));
        }
    }
    tables[0].permit(Event::Timer, id);
    tables[1].permit_limited(Event::Timer, id, 1);
    tables[2].permit(Event::Player, id);
    tables
}

/// Each kind of call with each check that may fail and each failure of the host; then at these
/// budgets, where the stack is a good one. An engine, and a host that looks on or not, must not make
/// a difference.
pub fn all_kinds_end_alike(
    engines: &[fn(&mut Client)],
    limits: Limits,
    budgets: impl Iterator<Item = u64> + Clone,
) {
    // Little memory: it is wiped often.
    let limits = Limits { ram_bytes: 4096, stack_bytes: 1024, ..limits };
    let mut seen = std::collections::BTreeSet::new();
    let enough = [None, Some(1), Some(3)].map(|fails_at| (50_000, fails_at));
    for id in IDS {
        for (stack, may_store) in stacks(&limits) {
            let words = twice(id, &stack, may_store);
            let less = budgets.clone().filter(|_| may_store).map(|budget| (budget, None));
            for (at, table) in tables(id).into_iter().enumerate() {
                for (budget, fails_at) in less.clone().chain(enough) {
                    let limits = Limits { budget, ..limits };
                    let by = |engine: fn(&mut Client), is_traced| {
                        let host = Counter { fails_at, is_traced, ..Counter::default() };
                        ended_with(engine, &words, table.clone(), limits, host)
                    };
                    let expected = by(engines[0], true);
                    let how = kind(expected.1);
                    seen.insert(how);
                    // The monitor has the last word, and before every other check.
                    let is_legal = match at {
                        0 => !matches!(how, "denied" | "too often"),
                        1 => !matches!(how, "denied" | "returned"),
                        _ => matches!(how, "denied" | "refused" | "budget"),
                    };
                    assert!(is_legal, "call {id:#x}, table {at}: {}", expected.1);
                    for (number, engine) in engines.iter().enumerate() {
                        for is_traced in [false, true] {
                            assert_eq!(
                                by(*engine, is_traced),
                                expected,
                                "call {id:#x}, stack {stack:x?}, table {at}, budget {budget}, \
                                 failure {fails_at:?}, engine {number}, traced {is_traced}"
                            );
                        }
                    }
                }
            }
        }
    }
    let all = [
        "budget",
        "denied",
        "exit",
        "failed",
        "no call",
        "refused",
        "returned",
        "stack",
        "too often",
    ];
    assert!(seen.iter().eq(&all), "{seen:?}");
}

/// What the cases are to end by.
fn kind(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Returned(_) => "returned",
        Outcome::Exited(_) => "exit",
        Outcome::OutOfBudget { .. } => "budget",
        Outcome::Fault(Fault::Host { .. }) => "failed",
        Outcome::Violation(violation) => match violation.kind {
            ViolationKind::Denied { reason: Denied::NotPermitted, .. } => "denied",
            ViolationKind::Denied { reason: Denied::TooOften(_), .. } => "too often",
            ViolationKind::Stack { .. } => "stack",
            ViolationKind::UnknownCall(_) => "no call",
            _ => "another violation",
        },
        Outcome::Refused { .. } => "refused",
        _ => "another end",
    }
}
