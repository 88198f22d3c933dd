//! A file by several threads. Each reads a chunk, works on it and writes it, so that a chunk stays
//! in the cache of one core; reading is one at a time, and writing in the order of reading.
//!
//! What must never happen: a chunk out of its order; a thread that waits for one that has failed.

use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use portcullis_headend::input::{Arrived, Chunk, Input};
use portcullis_headend::output::Output;
use portcullis_scramble::{BatchStats, Scheduler};

use super::choice::{Choice, Chosen};
use super::{Count, Marks};
use crate::cli::{Failure, Outcome};

/// Threads at most when nobody says how many: beyond that the file system is what takes time.
const THREADS_USUAL: usize = 8;
/// Threads at most.
const THREADS_MAX: usize = 64;

/// The argument `--threads`.
pub(super) fn parse_threads(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse().ok().filter(|number: &NonZeroUsize| number.get() <= THREADS_MAX);
    number.ok_or_else(|| format!("a number of threads is 1 to {THREADS_MAX}"))
}

/// How many threads work.
pub(super) fn threads(asked: Option<NonZeroUsize>) -> usize {
    let usual = || thread::available_parallelism().map_or(1, |n| n.get().min(THREADS_USUAL));
    asked.map_or_else(usual, NonZeroUsize::get)
}

/// What the threads have in common.
pub(super) struct Shared<'a> {
    reading: Mutex<Reading<'a>>,
    writing: Mutex<Writing<'a>>,
    written: Condvar,
}

struct Reading<'a> {
    input: &'a mut Input,
    choice: &'a mut Choice,
    /// The number of the next chunk.
    next: usize,
    ended: bool,
}

struct Writing<'a> {
    output: &'a mut Output,
    /// The number of the chunk whose turn it is.
    next: usize,
    failed: bool,
}

/// What the threads did.
#[derive(Default)]
pub(super) struct Rest {
    pub(super) packets: usize,
    pub(super) count: Count,
    pub(super) stats: BatchStats,
}

impl<'a> Shared<'a> {
    pub(super) const fn new(
        input: &'a mut Input,
        choice: &'a mut Choice,
        output: &'a mut Output,
    ) -> Self {
        Self {
            reading: Mutex::new(Reading { input, choice, next: 0, ended: false }),
            writing: Mutex::new(Writing { output, next: 0, failed: false }),
            written: Condvar::new(),
        }
    }

    /// The next chunk with its number and the PIDs that it is worked on.
    fn read(&self, spare: Vec<u8>) -> Result<Option<(usize, Chunk, Chosen)>, Failure> {
        let mut reading = lock(&self.reading);
        let Reading { input, choice, next, ended } = &mut *reading;
        if *ended {
            return Ok(None);
        }
        // What fails or ends here does so for all.
        *ended = true;
        match input.read()? {
            Arrived::Packets(packets) => choice.learn(packets),
            // A file is never silent.
            Arrived::Silence | Arrived::End => return Ok(None),
        }
        *ended = false;
        *next += 1;
        Ok(Some((*next - 1, input.detach(spare), choice.chosen())))
    }

    /// Writes a chunk when it is its turn.
    fn write(&self, number: usize, chunk: &mut Chunk) -> Outcome {
        let turn = lock(&self.writing);
        let wait = self.written.wait_while(turn, |turn| turn.next != number && !turn.failed);
        let mut turn = wait.unwrap_or_else(PoisonError::into_inner);
        if turn.failed {
            // The thread that failed says why.
            return Ok(());
        }
        turn.output.write(chunk.packets())?;
        turn.next += 1;
        self.written.notify_all();
        Ok(())
    }

    fn has_failed(&self) -> bool {
        lock(&self.writing).failed
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets the others go on, or end, when a thread ends in the middle of its work.
struct Alarm<'a, 'b>(&'a Shared<'b>, bool);

impl Drop for Alarm<'_, '_> {
    fn drop(&mut self) {
        if self.1 {
            lock(&self.0.writing).failed = true;
            self.0.written.notify_all();
        }
    }
}

/// Works on all that the input still has.
pub(super) fn run(
    shared: Shared<'_>,
    threads: usize,
    scheduler: impl Fn() -> Scheduler + Sync,
    mark: &impl Marks,
) -> Result<Rest, Failure> {
    let work = || work(&shared, scheduler(), mark);
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut rest = work();
        for other in others {
            let done = other.join().unwrap_or_else(|_| Err(Failure::new("a thread failed")));
            rest = rest.and_then(|rest| Ok(rest.with(done?)));
        }
        rest
    })
}

fn work(shared: &Shared<'_>, mut scheduler: Scheduler, mark: &impl Marks) -> Result<Rest, Failure> {
    let mut alarm = Alarm(shared, true);
    let mut rest = Rest::default();
    let mut spare = Vec::new();
    while !shared.has_failed()
        && let Some((number, mut chunk, chosen)) = shared.read(spare)?
    {
        rest.packets += chunk.packets().len();
        let count = &mut rest.count;
        scheduler.work(chunk.packets(), |packet, keys| mark(packet, keys, &chosen, count));
        shared.write(number, &mut chunk)?;
        spare = chunk.into_buffer();
    }
    rest.stats = scheduler.stats();
    alarm.1 = false;
    Ok(rest)
}

impl Rest {
    fn with(self, other: Self) -> Self {
        Self {
            packets: self.packets + other.packets,
            count: self.count.with(other.count),
            stats: self.stats.with(other.stats),
        }
    }
}
