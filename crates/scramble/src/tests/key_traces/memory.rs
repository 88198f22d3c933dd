//! The memory of this process, seen from a thread that is not the one that works.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::vec::Vec;

use super::needles::Needles;

/// Octets between what waits and what works, so that waiting overwrites nothing of the work.
const APART: usize = 128 * 1024;
/// Octets of stack below the work that are looked at.
const LOOKED_AT: usize = 256 * 1024;
/// Octets of them that the work's first frames take: its own, and those that hand the work on.
const NEAR: usize = 1_024;
const STACK: usize = 1024 * 1024;
/// What the stack holds before the work.
const PAINT: u8 = 0xC7;
const CHUNK: usize = 64 * 1024;

/// What a piece of work left behind.
pub(super) struct Traces {
    /// Octets that are neither paint nor zero, of the work's first frames.
    pub(super) near: usize,
    /// The same of all frames farther down.
    pub(super) far: usize,
    /// How far down anything was written.
    pub(super) deepest: usize,
    /// Needles that were found anywhere in the process.
    pub(super) needles: usize,
}

/// Prepares in a thread of its own, works in deep frames of it, lets go of everything that `kept`
/// does not keep, and then looks at that thread's stack and at all memory.
pub(super) fn traces_of<P, K: Send + 'static>(
    needles: &Needles,
    prepare: impl FnOnce() -> P + Send + 'static,
    work: impl Fn(&mut P) + Send + 'static,
    kept: impl FnOnce(P) -> K + Send + 'static,
) -> Traces {
    let (tell, told) = channel();
    let (go, wait): (Sender<()>, Receiver<()>) = channel();
    let worker = thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || {
            let mut prepared = prepare();
            tell.send(deeper(&mut || {})).unwrap();
            wait.recv().unwrap();
            deeper(&mut || work(&mut prepared));
            let kept = kept(prepared);
            tell.send(0).unwrap();
            wait.recv().unwrap();
            drop(kept);
        })
        .unwrap();
    let end = told.recv().unwrap();
    let memory = File::options().read(true).write(true).open("/proc/self/mem").unwrap();
    let start = end - LOOKED_AT;
    memory.write_all_at(&[PAINT; LOOKED_AT], start as u64).unwrap();
    go.send(()).unwrap();
    told.recv().unwrap();
    let mut stack = std::vec![0; LOOKED_AT];
    memory.read_exact_at(&mut stack, start as u64).unwrap();
    let written = stack.iter().position(|octet| *octet != PAINT);
    let strange = |stack: &[u8]| stack.iter().filter(|octet| !matches!(**octet, PAINT | 0)).count();
    let (far, near) = stack.split_at(LOOKED_AT - NEAR);
    let traces = Traces {
        near: strange(near),
        far: strange(far),
        deepest: written.map_or(0, |at| LOOKED_AT - at),
        needles: found_anywhere(&memory, needles),
    };
    go.send(()).unwrap();
    worker.join().unwrap();
    traces
}

/// Works far below the frame of the caller; returns where those frames begin.
#[inline(never)]
fn deeper(work: &mut dyn FnMut()) -> usize {
    let mut apart = [0_u8; APART];
    core::hint::black_box(&mut apart);
    work();
    core::hint::black_box(&mut apart).as_ptr().addr()
}

/// Needles in all memory that this process can write.
fn found_anywhere(memory: &File, needles: &Needles) -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let mut found = 0;
    let mut chunk = std::vec![0; CHUNK + 8];
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let Some((start, end)) = range(line) else { continue };
        for at in (start..end).step_by(CHUNK) {
            // Windows that lie across the border of two chunks belong to the first.
            let length = (CHUNK + 7).min(end - at);
            let chunk = &mut chunk[..length];
            if memory.read_exact_at(chunk, at as u64).is_ok() {
                found += needles.count_in(chunk);
            }
            chunk.fill(0);
        }
    }
    found
}

fn range(line: &str) -> Option<(usize, usize)> {
    let (start, end) = line.split_whitespace().next()?.split_once('-')?;
    let number = |text: &str| usize::from_str_radix(text, 16).ok();
    Some((number(start)?, number(end)?))
}

/// Standard input to its end.
pub(super) fn input() -> Vec<u8> {
    let mut input = Vec::new();
    std::io::Read::read_to_end(&mut std::io::stdin(), &mut input).unwrap();
    input
}
