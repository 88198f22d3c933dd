//! The link between media client and embedded SCP: events go one way, results the other, all of
//! them numbered.
//!
//! Clauses: X.1198 6.2.2 (no event lost or altered by the media client), 7.7 steps 1 to 3 and 10
//! to 12. Many threads may send; numbers are given in the order in which events enter the queue,
//! and the event manager takes them in that order, one at a time.
//!
//! What must never happen: an event that is lost, handled twice or handled out of turn without an
//! error that says so; a queue that grows with what is sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_svm::Event;
use portcullis_types::ServiceId;

use crate::host::Content;

/// Events that wait at most.
pub const QUEUE_MAX: usize = 256;

/// Number of an event on its link: from 1, without gaps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Sequence(pub u64);

/// What the media client saw.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum MediaEvent {
    /// The client is loaded and shall begin.
    Initialize,
    /// A service was chosen.
    SelectContent(ServiceId),
    /// A new EMM section came: the access token.
    Entitlement(Vec<u8>),
    /// A new ECM section came: the access token.
    ChangeKey(Vec<u8>),
    /// Scrambled packets that the client descrambles itself.
    Descramble(Content),
    /// A timer of the client ran out: its number, how often, how late in milliseconds.
    Timer([u32; 3]),
    /// A message for the client came: source, number, octets.
    Message([u32; 3]),
    /// The client shall end.
    Terminate,
}

impl MediaEvent {
    /// The event of X.1198 7.2 that this raises.
    // spec: X-57 X-63
    #[must_use]
    pub const fn event(&self) -> Event {
        match self {
            Self::Initialize => Event::Initialize,
            Self::SelectContent(_) => Event::SelectContent,
            Self::Entitlement(_) => Event::Entitlement,
            Self::ChangeKey(_) => Event::ChangeKey,
            Self::Descramble(_) => Event::Descramble,
            Self::Timer(_) => Event::Timer,
            Self::Message(_) => Event::Player,
            Self::Terminate => Event::Terminate,
        }
    }
}

/// An event on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Numbered {
    /// Its number.
    pub sequence: Sequence,
    /// What it is.
    pub event: MediaEvent,
}

/// What the client answered to an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The number of the event.
    pub sequence: Sequence,
    /// Element 1 of the event parameter buffer.
    pub result: u32,
}

/// The link does not hold what it promises, or is full.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LinkError {
    /// The sender still has the event.
    #[error("{0} events wait already")]
    Full(usize),
    /// Events between these numbers never came.
    #[error("event {} is missing, event {} came", expected.0, came.0)]
    Lost {
        /// Next in turn.
        expected: Sequence,
        /// What came.
        came: Sequence,
    },
    /// The number was there before.
    #[error("event {} came again, event {} is next", came.0, expected.0)]
    Again {
        /// Next in turn.
        expected: Sequence,
        /// What came.
        came: Sequence,
    },
    /// An answer to another event than the one that is next.
    #[error("an answer to event {}, event {} is next", came.0, expected.0)]
    WrongAnswer {
        /// Next in turn.
        expected: Sequence,
        /// What came.
        came: Sequence,
    },
}

/// Both ends of a new link.
#[must_use]
pub fn link() -> (MediaEnd, ScpEnd) {
    let shared = Arc::new(Mutex::new(Shared { sent: 0, answered: 0, queue: VecDeque::new() }));
    (MediaEnd { shared: Arc::clone(&shared) }, ScpEnd { shared, taken: 0 })
}

#[derive(Debug)]
struct Shared {
    sent: u64,
    answered: u64,
    queue: VecDeque<Numbered>,
}

/// The media client's end. Its clones number their events together.
#[derive(Clone, Debug)]
pub struct MediaEnd {
    shared: Arc<Mutex<Shared>>,
}

impl MediaEnd {
    /// Numbers an event and queues it.
    ///
    /// # Errors
    /// [`LinkError::Full`]; no number is used up.
    // spec: X-04 X-31 X-E05 X-E06 X-E07 X-E08
    // defends: T-34
    pub fn send(&self, event: MediaEvent) -> Result<Sequence, LinkError> {
        let mut shared = lock(&self.shared);
        if shared.queue.len() >= QUEUE_MAX {
            return Err(LinkError::Full(shared.queue.len()));
        }
        shared.sent += 1;
        let sequence = Sequence(shared.sent);
        shared.queue.push_back(Numbered { sequence, event });
        Ok(sequence)
    }

    /// Takes an answer: each event is answered once, in turn.
    ///
    /// # Errors
    /// [`LinkError::WrongAnswer`].
    // spec: X-E13
    pub fn answered(&self, answer: &Answer) -> Result<(), LinkError> {
        let mut shared = lock(&self.shared);
        let expected = Sequence(shared.answered + 1);
        if answer.sequence != expected || answer.sequence.0 > shared.sent {
            return Err(LinkError::WrongAnswer { expected, came: answer.sequence });
        }
        shared.answered += 1;
        Ok(())
    }
}

/// The event manager's end: the queue is its own.
#[derive(Debug)]
pub struct ScpEnd {
    shared: Arc<Mutex<Shared>>,
    taken: u64,
}

impl ScpEnd {
    /// Takes the event that waits longest.
    ///
    /// # Errors
    /// [`LinkError::Lost`] or [`LinkError::Again`]: the event is not the next in turn.
    // spec: X-E05 X-51
    pub fn take(&mut self) -> Result<Option<Numbered>, LinkError> {
        let Some(numbered) = lock(&self.shared).queue.pop_front() else { return Ok(None) };
        let (expected, came) = (Sequence(self.taken + 1), numbered.sequence);
        if came > expected {
            return Err(LinkError::Lost { expected, came });
        }
        if came < expected {
            return Err(LinkError::Again { expected, came });
        }
        self.taken += 1;
        Ok(Some(numbered))
    }
}

/// Nothing panics while it holds the lock, so what is behind it is whole.
fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    // spec-test: X-04 X-31 X-E05 X-E06 X-E08
    // attack-test: T-34
    #[test]
    fn a_thousand_senders_at_once_lose_nothing_and_keep_their_order() {
        const SENDERS: u32 = 1000;
        const EACH: u16 = 100;
        let (media, mut scp) = link();
        let mut next = vec![0; SENDERS as usize];
        std::thread::scope(|scope| {
            for sender in 0..SENDERS {
                let media = media.clone();
                scope.spawn(move || {
                    for turn in 0..EACH {
                        let mut token = sender.to_be_bytes().to_vec();
                        token.extend_from_slice(&turn.to_be_bytes());
                        // A full queue gives the event back; nothing else may happen.
                        while let Err(error) = media.send(MediaEvent::ChangeKey(token.clone())) {
                            assert_eq!(error, LinkError::Full(QUEUE_MAX));
                            std::thread::yield_now();
                        }
                    }
                });
            }
            for number in 1..=u64::from(SENDERS) * u64::from(EACH) {
                let numbered = loop {
                    match scp.take().unwrap() {
                        Some(numbered) => break numbered,
                        None => std::thread::yield_now(),
                    }
                };
                assert_eq!(numbered.sequence, Sequence(number));
                let MediaEvent::ChangeKey(token) = numbered.event else { panic!("altered") };
                let (sender, turn) = token.split_first_chunk::<4>().unwrap();
                let expected = &mut next[u32::from_be_bytes(*sender) as usize];
                assert_eq!(*turn, u16::to_be_bytes(*expected), "in the sender's order");
                *expected += 1;
                let answer = Answer { sequence: numbered.sequence, result: 0 };
                assert_eq!(media.answered(&answer), Ok(()));
            }
        });
        assert_eq!(scp.take(), Ok(None));
        assert!(next.iter().all(|turns| *turns == EACH));
    }

    // spec-test: X-04 X-31
    #[test]
    fn an_event_that_is_dropped_doubled_or_moved_is_named() {
        let service = |n| MediaEvent::SelectContent(ServiceId(n));
        let sent = || {
            let (media, scp) = link();
            for n in 0..3 {
                media.send(service(n)).unwrap();
            }
            (media, scp)
        };
        let (number, expected) = (Sequence, Sequence(2));

        let (media, mut scp) = sent();
        lock(&media.shared).queue.remove(1);
        scp.take().unwrap();
        assert_eq!(scp.take(), Err(LinkError::Lost { expected, came: number(3) }));

        let (media, mut scp) = sent();
        let first = lock(&media.shared).queue[0].clone();
        lock(&media.shared).queue.insert(1, first);
        scp.take().unwrap();
        assert_eq!(scp.take(), Err(LinkError::Again { expected, came: number(1) }));

        let (media, mut scp) = sent();
        lock(&media.shared).queue.swap(1, 2);
        scp.take().unwrap();
        assert_eq!(scp.take(), Err(LinkError::Lost { expected, came: number(3) }));
    }

    #[test]
    fn each_event_is_answered_once_and_in_turn() {
        let (media, mut scp) = link();
        let answer = |n| Answer { sequence: Sequence(n), result: 0 };
        let wrong = |expected, came| {
            let (expected, came) = (Sequence(expected), Sequence(came));
            Err(LinkError::WrongAnswer { expected, came })
        };
        assert_eq!(media.answered(&answer(1)), wrong(1, 1), "nothing was sent");
        for _ in 0..3 {
            media.send(MediaEvent::Terminate).unwrap();
            scp.take().unwrap();
        }
        assert_eq!(media.answered(&answer(2)), wrong(1, 2));
        assert_eq!(media.answered(&answer(1)), Ok(()));
        assert_eq!(media.answered(&answer(1)), wrong(2, 1));
    }
}
