//! The tier itself: compiles what is entered, enters it, and hands over to the interpreter.

use core::fmt;

use portcullis_svm::compiled::{CompiledTier, LentMemory, Next, Ran, ScannedPart, ScannedText};

use crate::entry::{ASTRAY, CALL, Frame, ID, RESUME, Routines, SPENT, routines};
use crate::host::arena::{Arena, PAGE, Width};
use crate::host::code::CodeMemory;
use crate::host::fault::{FAULT, Registration};
use crate::lengths::Lengths;
use crate::pins::Regions;
use crate::plan::{CHUNK, Plan};
use crate::translate::{Exits, at_stop, translate};

/// Octets that a client may take in the tier for each of its instructions. When more is needed, no
/// more is compiled.
const OCTETS_EACH: usize = 16;
/// Octets that it may take besides: what its 16 KiB have room for beside the client itself.
const OCTETS_BESIDE: usize = 9728;
/// Instructions of the longest text that is compiled.
const TEXT_MAX: usize = 1 << 20;
/// Blocks that are compiled once more from their middle on, because a jump led there.
const LATE_MAX: usize = 1024;
/// Instructions of the longest rest of a block that is compiled once more.
const LATE_INSTRUCTIONS_MAX: usize = 256;
/// How often the interpreter may be called in for a few instructions: at guard pages, and at jumps
/// into the middle of a block that is not compiled once more. Then it has the client for good, so that a hostile client
/// cannot make the host spend much more time than its budget says.
const VISITS_MAX: u32 = 4096;

/// Instructions that are translated again at a guard page, at most, in the time of one visit more.
const INSTRUCTIONS_PER_VISIT: u32 = 64;

/// An entry of the table that leads nowhere yet.
const NO_ENTRY: u32 = 0;
/// Interpret all that is left.
const ALL: u64 = u64::MAX;

/// The compiling tier of one client.
pub(crate) struct Compiler {
    /// Whether code may use BMI1 and BMI2.
    bmi: bool,
    loaded: Option<Loaded>,
}

impl Compiler {
    pub(crate) const fn new(bmi: bool) -> Self {
        Self { bmi, loaded: None }
    }
}

/// What is there once the text is known. The registration drops first.
struct Loaded {
    _registration: Registration,
    code: CodeMemory,
    arena: Arena,
    plan: Plan,
    exits: Exits,
    frame: Frame,
    chunks: Vec<Chunk>,
    /// Octets that all this may take.
    octets_max: usize,
    /// Something was not compiled since it did not fit.
    is_full: bool,
    /// Blocks that were compiled once more.
    late: usize,
    visits: u32,
    /// The interpreter was called in, so it may come back in the middle of a block. Otherwise it
    /// only does when a slice of the budget ended there, which is seldom and costs nothing.
    is_visited: bool,
}

/// A part of the text that is compiled.
struct Chunk {
    /// Its first instruction.
    first: usize,
    regions: Regions,
    /// Where its code begins and ends in the code memory.
    code: core::ops::Range<u32>,
    /// How long each of its instructions is there.
    lengths: Lengths,
}

impl CompiledTier for Compiler {
    fn prepare(&mut self, text: ScannedText<'_>) -> bool {
        self.loaded = Loaded::new(text, self.bmi);
        self.loaded.is_some()
    }

    fn lend(&mut self, base: u32, len: u32, writable: bool) -> Option<Box<dyn LentMemory>> {
        let view = self.loaded.as_mut()?.arena.lend(base, len, writable)?;
        Some(Box::new(view))
    }

    fn open(&mut self) -> bool {
        self.loaded.as_mut().is_some_and(|loaded| loaded.arena.open())
    }

    fn run(
        &mut self,
        text: ScannedText<'_>,
        registers: &mut [u32; 32],
        pc: usize,
        left: u64,
    ) -> Ran {
        let all = Ran { pc, left, interpret: ALL, next: Next::Other };
        self.loaded.as_mut().map_or(all, |loaded| loaded.run(text, registers, all))
    }

    fn has_given_up(&self) -> bool {
        self.loaded.as_ref().is_none_or(|loaded| loaded.visits >= VISITS_MAX)
    }

    fn octets(&self) -> usize {
        size_of::<Self>() + self.loaded.as_ref().map_or(0, Loaded::octets)
    }
}

/// Octets that a client with so many instructions may take.
const fn octets_max(instructions: usize) -> usize {
    OCTETS_BESIDE + instructions * OCTETS_EACH
}

impl Loaded {
    fn new(text: ScannedText<'_>, bmi: bool) -> Option<Self> {
        if text.len() > TEXT_MAX {
            return None;
        }
        let plan = Plan::new(&text.read(0..text.len()));
        let width = if octets_max(text.len()) <= 1 << 16 { Width::Half } else { Width::Word };
        let arena = Arena::new(text.len(), width)?;
        let mut code = CodeMemory::new(octets_max(text.len()))?;
        let table = (arena.table_offset()?, width);
        let routines = routines(&plan, text.len(), table)?;
        code.append_routines(&routines)?;
        let Routines { stop, spent, jump, astray, fault, .. } = routines;
        let exit = code.address(fault as usize);
        let registration = Registration::new(code.range(), arena.reach(), exit)?;
        let exits = Exits { stop, spent, jump, astray, table, bmi };
        let chunks = Vec::new();
        let _registration = registration;
        Some(Self {
            _registration,
            code,
            arena,
            plan,
            exits,
            frame: Frame::default(),
            chunks,
            octets_max: octets_max(text.len()),
            is_full: false,
            late: 0,
            visits: 0,
            is_visited: false,
        })
    }

    fn run(&mut self, text: ScannedText<'_>, registers: &mut [u32; 32], mut at: Ran) -> Ran {
        // Between two looks at the budget at most the text's length retires: that much is held
        // back, and when only that is left, the interpreter runs it.
        let held_back = text.len() as u64;
        let mut is_seldom = !core::mem::take(&mut self.is_visited);
        loop {
            at.interpret = ALL;
            at.next = Next::Other;
            let Some(budget) = at.left.checked_sub(held_back).and_then(|b| i64::try_from(b).ok())
            else {
                return at;
            };
            if self.visits >= VISITS_MAX {
                return at;
            }
            let entry = match self.entry(text, at.pc, is_seldom) {
                Entry::At(entry) => entry,
                Entry::Never => {
                    self.visits = VISITS_MAX;
                    return at;
                }
                Entry::NotHere => {
                    self.visits += u32::from(!is_seldom);
                    self.is_visited = !is_seldom;
                    at.interpret = self.plan.rest_of_block(at.pc) as u64;
                    return at;
                }
            };
            is_seldom = false;
            let guest = self.arena.guest();
            self.frame.left = budget;
            let Some(answer) = self.code.enter(registers, guest, &mut self.frame, entry) else {
                return at;
            };
            at.left = held_back.saturating_add_signed(self.frame.left);
            at.pc = answer as u32 as usize;
            at.interpret = 1;
            match answer & !u64::from(u32::MAX) {
                RESUME => {}
                SPENT => return Ran { interpret: ALL, ..at },
                FAULT => return self.at_guard_page(text, registers, at),
                ASTRAY => {
                    let target = self.frame.astray.rotate_left(1) << 1;
                    return Ran { next: Next::Jump(text.base().wrapping_add(target)), ..at };
                }
                why if why & CALL != 0 => {
                    return Ran { next: Next::Call((why >> ID) as u16), ..at };
                }
                _ => return at,
            }
        }
    }

    /// Where an instruction is entered; what seldom happens is not compiled for.
    fn entry(&mut self, text: ScannedText<'_>, pc: usize, is_seldom: bool) -> Entry {
        let known = |loaded: &Self| match loaded.arena.entry(pc).filter(|_| pc < text.len()) {
            None => Some(Entry::Never),
            Some(NO_ENTRY) => None,
            Some(entry) => Some(Entry::At(entry as usize)),
        };
        if let Some(entry) = known(self) {
            return entry;
        }
        let first = pc / CHUNK * CHUNK;
        let end = text.len().min(first + CHUNK);
        if self.is_full {
            return Entry::NotHere;
        }
        let is_compiled = |loaded: &Self| loaded.arena.entry(first) != Some(NO_ENTRY);
        if !is_compiled(self) {
            let part = text.read(first..end);
            let regions = Regions::new(&part, &self.plan, (first, end));
            if self.compile(&part, regions, (first, end)).is_none() {
                return if self.is_full { Entry::NotHere } else { Entry::Never };
            }
            if let Some(entry) = known(self) {
                return entry;
            }
        }
        // A case of a switch that the one before falls into, or an odd jump.
        let rest = self.plan.until_join(pc);
        if is_seldom || self.late == LATE_MAX || rest > LATE_INSTRUCTIONS_MAX {
            return Entry::NotHere;
        }
        self.late += 1;
        let regions = Regions::base(&self.plan, pc);
        match self.compile(&text.read(pc..pc + rest), regions, (pc, pc + rest)) {
            Some(()) => known(self).unwrap_or(Entry::Never),
            // No room is left; elsewhere there is code.
            None => Entry::NotHere,
        }
    }

    fn compile(
        &mut self,
        text: &ScannedPart,
        regions: Regions,
        (first, end): (usize, usize),
    ) -> Option<()> {
        let origin = self.code.used();
        let range = (first, end);
        let compiled = translate(text, &self.plan, &regions, self.exits, origin as u32, range)?;
        self.chunks.reserve_exact(1);
        let more = regions.octets() + compiled.lengths.octets();
        let pages = paged(origin + compiled.code.len()) - paged(origin);
        if self.octets() + more + pages > self.octets_max {
            self.is_full = true;
            return None;
        }
        self.code.append(&compiled.code)?;
        for (index, entry) in compiled.entries {
            self.arena.set_entry(index, origin as u32 + entry);
        }
        let code = origin as u32..self.code.used() as u32;
        self.chunks.push(Chunk { first, regions, code, lengths: compiled.lengths });
        Some(())
    }

    /// What all this takes; of the code memory and of the table whole pages.
    fn octets(&self) -> usize {
        let of = |chunk: &Chunk| chunk.regions.octets() + chunk.lengths.octets();
        size_of::<Self>()
            + self.plan.octets()
            + paged(self.code.used())
            + self.arena.table_octets()
            + self.chunks.capacity() * size_of::<Chunk>()
            + self.chunks.iter().map(of).sum::<usize>()
    }

    /// An instruction touched what its guest may not, or a page that is the interpreter's.
    fn at_guard_page(&mut self, text: ScannedText<'_>, registers: &mut [u32; 32], at: Ran) -> Ran {
        let offset = at.pc as u32;
        let lost = Ran { left: 0, ..at };
        let Some(chunk) = self.chunks.iter().find(|chunk| chunk.code.contains(&offset)) else {
            return lost;
        };
        let within = offset - chunk.code.start;
        let pc = chunk.first + chunk.lengths.at(within);
        let stop = (chunk.first, pc);
        let found = at_stop(text, &self.plan, &chunk.regions, self.exits, stop);
        let Some((standing, again)) = found else { return lost };
        standing.reveal(&self.frame.hosts, registers);
        self.is_visited = true;
        self.visits += 1 + again as u32 / INSTRUCTIONS_PER_VISIT;
        // The block was paid in full; from here on nothing of it has retired.
        let unspent = self.plan.rest_of_block(pc) as u64;
        Ran { pc, left: at.left.saturating_add(unspent), ..at }
    }
}

/// So many octets as whole pages.
const fn paged(octets: usize) -> usize {
    octets.next_multiple_of(PAGE as usize)
}

/// Whether an instruction can be entered.
enum Entry {
    /// At this place of the code.
    At(usize),
    /// Not this one; perhaps a later one.
    NotHere,
    /// There is no code.
    Never,
}

impl fmt::Debug for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiler").finish_non_exhaustive()
    }
}
