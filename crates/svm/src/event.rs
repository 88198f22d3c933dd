//! Events and the twelve states of the SVM, with the legal transitions as a table.
//!
//! Clause: X.1198 7.2. Names are the standard's; the numbers are ours (the text has none). There
//! are no other transitions than those in [`TRANSITIONS`].

use core::fmt;

use crate::abi;

/// What drives a client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Event {
    /// Runs the init code at the entry point; registers handler and parameter buffer.
    Initialize = abi::event::INITIALIZE as u8,
    /// (session, service_id): a service was chosen.
    SelectContent = abi::event::SELECT_CONTENT as u8,
    /// (token length): an EMM came.
    Entitlement = abi::event::ENTITLEMENT as u8,
    /// (session, token length): a new ECM came.
    ChangeKey = abi::event::CHANGE_KEY as u8,
    /// Content to be descrambled by the client itself.
    Descramble = abi::event::DESCRAMBLE as u8,
    /// Something happened in the player.
    Player = abi::event::PLAYER as u8,
    /// A timer of the client ran out.
    Timer = abi::event::TIMER as u8,
    /// The client ends.
    Terminate = abi::event::TERMINATE as u8,
}

impl Event {
    /// All events, ascending by id.
    pub const ALL: [Self; 8] = [
        Self::Initialize,
        Self::SelectContent,
        Self::Entitlement,
        Self::ChangeKey,
        Self::Descramble,
        Self::Player,
        Self::Timer,
        Self::Terminate,
    ];

    /// The number the client sees in element 0 of its parameter buffer.
    #[must_use]
    pub const fn id(self) -> u32 {
        self as u32
    }

    /// Its bit in a set of events: they have eight numbers in a row.
    #[inline(always)]
    pub(crate) const fn bit(self) -> u8 {
        1 << (self as u8 % 8)
    }

    /// The event of a number.
    #[must_use]
    pub fn from_id(id: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.id() == id)
    }

    /// The name, as in EVENT_ChangeKey and in the policy.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initialize => "Initialize",
            Self::SelectContent => "SelectContent",
            Self::Entitlement => "Entitlement",
            Self::ChangeKey => "ChangeKey",
            Self::Descramble => "Descramble",
            Self::Player => "Player",
            Self::Timer => "Timer",
            Self::Terminate => "Terminate",
        }
    }

    /// The event of a name (exact spelling).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    /// The state in which this event is handled.
    #[must_use]
    pub const fn state(self) -> State {
        match self {
            Self::Initialize => State::Initialize,
            Self::SelectContent => State::SelectContent,
            Self::Entitlement => State::Entitlement,
            Self::ChangeKey => State::ChangeKey,
            Self::Descramble => State::Descramble,
            Self::Player => State::Player,
            Self::Timer => State::Timer,
            Self::Terminate => State::Terminate,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The states of the SVM (X.1198 7.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum State {
    /// A client is being loaded.
    Start,
    /// Code and policy are loaded.
    Loaded,
    /// The init code runs.
    Initialize,
    /// Nothing to do.
    Idle,
    /// A new ECM is handled.
    ChangeKey,
    /// A player event is handled.
    Player,
    /// An EMM is handled.
    Entitlement,
    /// A timer is handled.
    Timer,
    /// Content is descrambled by the client.
    Descramble,
    /// A change of service is handled.
    SelectContent,
    /// The client ends.
    Terminate,
    /// No client.
    End,
}

impl State {
    /// All states, in the order of the standard's list.
    pub const ALL: [Self; 12] = [
        Self::Start,
        Self::Loaded,
        Self::Initialize,
        Self::Idle,
        Self::ChangeKey,
        Self::Player,
        Self::Entitlement,
        Self::Timer,
        Self::Descramble,
        Self::SelectContent,
        Self::Terminate,
        Self::End,
    ];

    /// The standard's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "Start",
            Self::Loaded => "Loaded",
            Self::Initialize => "Initialize",
            Self::Idle => "Idle",
            Self::ChangeKey => "ChangeKey",
            Self::Player => "Player",
            Self::Entitlement => "Entitlement",
            Self::Timer => "Timer",
            Self::Descramble => "Descramble",
            Self::SelectContent => "SelectContent",
            Self::Terminate => "Terminate",
            Self::End => "End",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a state changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trigger {
    /// Code and policy went through the scan.
    Loaded,
    /// The load was refused.
    LoadRefused,
    /// An event is taken from the queue.
    Event(Event),
    /// The init code or the client handler came back.
    Returned,
    /// Violation, fault, spent budget or Exit: the client must end.
    Stopped,
    /// The client is deleted and its memory returned.
    Deleted,
}

// spec: X-S03 X-S04 X-S05 X-S12 X-S13 X-S14
const TRANSITIONS: [(State, Trigger, State); 28] = {
    use State as S;
    use Trigger as T;
    [
        (S::Start, T::Loaded, S::Loaded),
        (S::Start, T::LoadRefused, S::End),
        (S::Loaded, T::Event(Event::Initialize), S::Initialize),
        (S::Loaded, T::Stopped, S::Terminate),
        (S::Initialize, T::Returned, S::Idle),
        (S::Initialize, T::Stopped, S::Terminate),
        (S::Idle, T::Event(Event::ChangeKey), S::ChangeKey),
        (S::Idle, T::Event(Event::Player), S::Player),
        (S::Idle, T::Event(Event::Entitlement), S::Entitlement),
        (S::Idle, T::Event(Event::Timer), S::Timer),
        (S::Idle, T::Event(Event::Descramble), S::Descramble),
        (S::Idle, T::Event(Event::SelectContent), S::SelectContent),
        (S::Idle, T::Event(Event::Terminate), S::Terminate),
        (S::Idle, T::Stopped, S::Terminate),
        (S::ChangeKey, T::Returned, S::Idle),
        (S::Player, T::Returned, S::Idle),
        (S::Entitlement, T::Returned, S::Idle),
        (S::Timer, T::Returned, S::Idle),
        (S::Descramble, T::Returned, S::Idle),
        (S::SelectContent, T::Returned, S::Idle),
        (S::ChangeKey, T::Stopped, S::Terminate),
        (S::Player, T::Stopped, S::Terminate),
        (S::Entitlement, T::Stopped, S::Terminate),
        (S::Timer, T::Stopped, S::Terminate),
        (S::Descramble, T::Stopped, S::Terminate),
        (S::SelectContent, T::Stopped, S::Terminate),
        (S::Terminate, T::Stopped, S::Terminate),
        (S::Terminate, T::Deleted, S::End),
    ]
};

/// The state after an event in a state; `None` when the event is not legal there.
#[must_use]
pub fn transition(state: State, event: Event) -> Option<State> {
    next_state(state, Trigger::Event(event))
}

#[inline(always)]
pub(crate) fn next_state(state: State, trigger: Trigger) -> Option<State> {
    *NEXT.get(state as usize)?.get(trigger.index())?
}

/// [`TRANSITIONS`] by state and trigger: it is asked twice in every event.
static NEXT: [[Option<State>; Trigger::COUNT]; State::ALL.len()] = {
    let mut next = [[None; Trigger::COUNT]; State::ALL.len()];
    let mut rest = TRANSITIONS.as_slice();
    while let [(from, by, to), more @ ..] = rest {
        next[*from as usize][by.index()] = Some(*to);
        rest = more;
    }
    next
};

impl Trigger {
    /// More than any [`Self::index`]; a power of two is multiplied by fast.
    const COUNT: usize = (5 + Event::ALL.len() + 1).next_power_of_two();

    #[inline(always)]
    const fn index(self) -> usize {
        match self {
            Self::Loaded => 0,
            Self::LoadRefused => 1,
            Self::Returned => 2,
            Self::Stopped => 3,
            Self::Deleted => 4,
            Self::Event(event) => 5 + event as usize,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec-test: X-S14
    #[test]
    fn every_pair_of_state_and_event_is_legal_exactly_as_the_standard_says() {
        for state in State::ALL {
            for event in Event::ALL {
                let expected = match (state, event) {
                    (State::Loaded, Event::Initialize) => Some(State::Initialize),
                    (State::Idle, Event::Initialize) => None,
                    (State::Idle, event) => Some(event.state()),
                    _ => None,
                };
                assert_eq!(transition(state, event), expected, "{state} {event}");
            }
        }
    }

    // spec-test: X-S05 X-S12 X-S13
    #[test]
    fn handled_events_lead_to_idle_and_terminate_leads_to_end() {
        for event in Event::ALL {
            let back = next_state(event.state(), Trigger::Returned);
            let expected = (event != Event::Terminate).then_some(State::Idle);
            assert_eq!(back, expected, "{event}");
        }
        assert_eq!(next_state(State::Terminate, Trigger::Deleted), Some(State::End));
        assert_eq!(next_state(State::Idle, Trigger::Deleted), None);
    }

    #[test]
    fn names_and_ids_round_trip() {
        for event in Event::ALL {
            assert_eq!(Event::from_id(event.id()), Some(event));
            assert_eq!(Event::from_name(event.name()), Some(event));
        }
        assert_eq!(Event::from_id(0), None);
        assert_eq!(Event::from_id(9), None);
        assert_eq!(Event::from_name("changekey"), None);
        let all = Event::ALL.map(Event::bit);
        assert_eq!(all.into_iter().reduce(|set, bit| set ^ bit), Some(u8::MAX));
    }
}
