//! Runs one program compiled and then interpreted, and compares all there is to see.
//!
//! The compiled run is watched by a tier around the tier, which notes registers and place whenever
//! compiled code is left. The interpreted run is watched by a tier that compiles nothing and asks
//! the interpreter to stop at the same counts.
#![allow(dead_code, unreachable_pub)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use portcullis_svm::compiled::{CompiledTier, LentMemory, Next, Ran, ScannedText};
use portcullis_svm::{
    CallPermitted, Client, Engine, Event, GuestMemory, HostFault, Limits, Outcome, Reply, State,
    Syscall, SystemCalls, TraceStep,
};

use crate::support::{Recorder, everything, image};

/// What one run shares with its watcher.
#[derive(Default, Debug)]
struct Notes {
    /// Set when the client ends, just before its memory is overwritten.
    ending: AtomicBool,
    /// (retired since the event began, place, registers) whenever compiled code was left.
    places: Mutex<Vec<(u64, usize, [u32; 32])>>,
    /// Memory at the end, by base address.
    memory: Mutex<Vec<(u32, Vec<u8>)>>,
}

/// Memory that is noted before it is overwritten.
#[derive(Debug)]
struct Noted {
    base: u32,
    inner: Box<dyn LentMemory>,
    notes: Arc<Notes>,
}

impl LentMemory for Noted {
    fn octets(&self) -> &[u8] {
        self.inner.octets()
    }

    fn octets_mut(&mut self) -> &mut [u8] {
        if self.notes.ending.load(Ordering::Relaxed) {
            let octets = self.inner.octets().to_vec();
            self.notes.memory.lock().unwrap().push((self.base, octets));
        }
        self.inner.octets_mut()
    }
}

#[derive(Debug)]
struct Plain(Vec<u8>);

impl LentMemory for Plain {
    fn octets(&self) -> &[u8] {
        &self.0
    }

    fn octets_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// Around the real tier.
struct Watched {
    inner: Box<dyn CompiledTier>,
    notes: Arc<Notes>,
    budget: u64,
}

impl CompiledTier for Watched {
    fn prepare(&mut self, text: ScannedText<'_>) -> bool {
        self.inner.prepare(text)
    }

    fn lend(&mut self, base: u32, len: u32, writable: bool) -> Option<Box<dyn LentMemory>> {
        let inner = self.inner.lend(base, len, writable)?;
        Some(Box::new(Noted { base, inner, notes: Arc::clone(&self.notes) }))
    }

    fn open(&mut self) -> bool {
        self.inner.open()
    }

    fn run(
        &mut self,
        text: ScannedText<'_>,
        registers: &mut [u32; 32],
        pc: usize,
        left: u64,
    ) -> Ran {
        let ran = self.inner.run(text, registers, pc, left);
        assert!(ran.left <= left, "retired backwards");
        if ran.left != left || ran.pc != pc {
            let mut places = self.notes.places.lock().unwrap();
            places.push((self.budget - ran.left, ran.pc, *registers));
        }
        ran
    }

    fn has_given_up(&self) -> bool {
        self.inner.has_given_up()
    }

    fn octets(&self) -> usize {
        self.inner.octets()
    }
}

/// Compiles nothing; compares where the watched run noted something.
struct Stepper {
    notes: Arc<Notes>,
    expected: Vec<(u64, usize, [u32; 32])>,
    next: usize,
    budget: u64,
    what: String,
}

impl CompiledTier for Stepper {
    fn prepare(&mut self, _: ScannedText<'_>) -> bool {
        true
    }

    fn lend(&mut self, base: u32, len: u32, _: bool) -> Option<Box<dyn LentMemory>> {
        let inner = Box::new(Plain(vec![0; len as usize]));
        Some(Box::new(Noted { base, inner, notes: Arc::clone(&self.notes) }))
    }

    fn open(&mut self) -> bool {
        true
    }

    fn run(&mut self, _: ScannedText<'_>, registers: &mut [u32; 32], pc: usize, left: u64) -> Ran {
        let retired = self.budget - left;
        let mut interpret = u64::MAX;
        while let Some((at, place, then)) = self.expected.get(self.next) {
            assert!(*at >= retired, "{}: left compiled code at {at}, now at {retired}", self.what);
            if *at > retired {
                interpret = at - retired;
                break;
            }
            assert_eq!((*place, then), (pc, &*registers), "{}: after {at}", self.what);
            self.next += 1;
        }
        Ran { pc, left, interpret, next: Next::Other }
    }

    fn has_given_up(&self) -> bool {
        false
    }

    fn octets(&self) -> usize {
        0
    }
}

/// Tells the notes when the client ends.
struct Host {
    recorder: Recorder,
    notes: Arc<Notes>,
}

impl SystemCalls for Host {
    fn call(
        &mut self,
        permitted: CallPermitted,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        self.recorder.call(permitted, call, args, memory)
    }

    fn trace(&mut self, step: TraceStep<'_>) {
        if matches!(step, TraceStep::State { to: State::Terminate, .. }) {
            self.notes.ending.store(true, Ordering::Relaxed);
        }
        self.recorder.trace(step);
    }
}

type Seen = (Outcome, u64, u64, Vec<String>, Vec<(u32, Vec<u8>)>);

fn run(words: &[u32], limits: Limits, tier: Box<dyn CompiledTier>, notes: &Arc<Notes>) -> Seen {
    let mut client = Client::load(&image(words), everything(), limits).unwrap();
    assert!(client.set_compiler(tier));
    let mut host = Host { recorder: Recorder::default(), notes: Arc::clone(notes) };
    let outcome = client.raise(Event::Initialize, &[], &mut host);
    let (retired, charged) = (client.retired_instructions(), client.charged_instructions());
    notes.ending.store(true, Ordering::Relaxed);
    drop(client);
    let memory = notes.memory.lock().unwrap().clone();
    (outcome, retired, charged, host.recorder.steps, memory)
}

/// Asserts that both runs are the same; 1 when anything ran compiled.
pub fn same(words: &[u32], limits: Limits, what: &str) -> u64 {
    let inner = portcullis_svm_compiler::tier().expect("x86-64 Linux");
    same_with(inner, words, limits, what)
}

/// The same with this tier.
pub fn same_with(inner: Box<dyn CompiledTier>, words: &[u32], limits: Limits, what: &str) -> u64 {
    let budget = limits.budget;
    let notes = Arc::new(Notes::default());
    let watched = Watched { inner, notes: Arc::clone(&notes), budget };
    let compiled = run(words, limits, Box::new(watched), &notes);
    let expected = core::mem::take(&mut *notes.places.lock().unwrap());
    let ran = u64::from(!expected.is_empty());

    let notes = Arc::new(Notes::default());
    let what = what.to_owned();
    let stepper =
        Stepper { notes: Arc::clone(&notes), expected, next: 0, budget, what: what.clone() };
    let interpreted = run(words, limits, Box::new(stepper), &notes);
    assert_eq!(compiled, interpreted, "{what}");
    // Both went back to the words of the text; a client without a tier has slots.
    let mut client = Client::load(&image(words), everything(), limits).unwrap();
    client.set_engine(Engine::MatchLoop);
    let mut host = Recorder::default();
    let outcome = client.raise(Event::Initialize, &[], &mut host);
    let (retired, charged) = (client.retired_instructions(), client.charged_instructions());
    let (by_words, its_retired, its_charged, its_steps, _) = interpreted;
    let by_words = (by_words, its_retired, its_charged, its_steps);
    assert_eq!(by_words, (outcome, retired, charged, host.steps), "{what}, with slots");
    ran
}
