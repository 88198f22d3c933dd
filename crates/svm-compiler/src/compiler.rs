//! The tier itself: compiles what is entered, enters it, and hands over to the interpreter.

use core::fmt;

use portcullis_svm::compiled::{CompiledTier, LentMemory, Ran, ScannedText};

use crate::entry::{Frame, RESUME, SPENT, routines};
use crate::host::arena::Arena;
use crate::host::code::CodeMemory;
use crate::host::fault::{FAULT, Registration};
use crate::pins::Regions;
use crate::plan::{CHUNK, Plan};
use crate::translate::{Exits, at_stop, translate};

/// Octets of compiled code of one client.
const CODE_BYTES_MAX: usize = 64 << 20;
/// Octets of code that one instruction is given room for; most need a quarter of it.
const CODE_BYTES_EACH: usize = 64;
/// Octets of the routines around the code.
const ROUTINES_BYTES: usize = 4096;
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
    /// The address in entries that lead nowhere yet.
    unresolved: usize,
    chunks: Vec<Chunk>,
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
    /// Where each of its instructions begins, from there.
    starts: Vec<u32>,
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
        let all = Ran { pc, left, interpret: ALL };
        self.loaded.as_mut().map_or(all, |loaded| loaded.run(text, registers, all))
    }
}

impl Loaded {
    fn new(text: ScannedText<'_>, bmi: bool) -> Option<Self> {
        if text.len() > TEXT_MAX {
            return None;
        }
        let plan = Plan::new(text);
        let mut arena = Arena::new(text.len())?;
        let room = (text.len() * CODE_BYTES_EACH + ROUTINES_BYTES).min(CODE_BYTES_MAX);
        let mut code = CodeMemory::new(room)?;
        let routines = routines(&plan)?;
        code.append(&routines.code)?;
        let exit = code.address(routines.fault as usize);
        let registration = Registration::new(code.range(), arena.reach(), exit)?;
        let unresolved = code.address(routines.resume as usize);
        for index in 0..text.len() {
            arena.set_entry(index, unresolved);
        }
        let exits =
            Exits { stop: routines.stop, spent: routines.spent, table: arena.table_offset()?, bmi };
        let chunks = Vec::new();
        let _registration = registration;
        Some(Self {
            _registration,
            code,
            arena,
            plan,
            exits,
            frame: Frame::default(),
            unresolved,
            chunks,
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
            let Some(budget) = at.left.checked_sub(held_back).and_then(|b| i64::try_from(b).ok())
            else {
                return at;
            };
            if self.visits >= VISITS_MAX {
                return at;
            }
            let entry = match self.entry(text, at.pc, is_seldom) {
                Entry::At(entry) => entry,
                Entry::Never => return at,
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
                _ => return at,
            }
        }
    }

    /// Where an instruction is entered; what seldom happens is not compiled for.
    fn entry(&mut self, text: ScannedText<'_>, pc: usize, is_seldom: bool) -> Entry {
        let known = |loaded: &Self| {
            let entry = loaded.arena.entry(pc).filter(|_| pc < text.len());
            match entry {
                None => Some(Entry::Never),
                Some(entry) if entry != loaded.unresolved => Some(Entry::At(entry)),
                Some(_) => None,
            }
        };
        if let Some(entry) = known(self) {
            return entry;
        }
        let first = pc / CHUNK * CHUNK;
        let end = text.len().min(first + CHUNK);
        let is_compiled = |loaded: &Self| loaded.arena.entry(first) != Some(loaded.unresolved);
        if !is_compiled(self) {
            let regions = Regions::new(text, &self.plan, (first, end));
            if self.compile(text, regions, (first, end)).is_none() {
                return Entry::Never;
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
        match self.compile(text, regions, (pc, pc + rest)) {
            Some(()) => known(self).unwrap_or(Entry::Never),
            // No room is left; elsewhere there is code.
            None => Entry::NotHere,
        }
    }

    fn compile(
        &mut self,
        text: ScannedText<'_>,
        regions: Regions,
        (first, end): (usize, usize),
    ) -> Option<()> {
        let origin = self.code.used();
        let range = (first, end);
        let compiled = translate(text, &self.plan, &regions, self.exits, origin as u32, range)?;
        self.code.append(&compiled.code)?;
        for (index, entry) in compiled.entries {
            let address = self.code.address(origin + entry as usize);
            self.arena.set_entry(index, address);
        }
        let code = origin as u32..self.code.used() as u32;
        self.chunks.push(Chunk { first, regions, code, starts: compiled.starts });
        Some(())
    }

    /// An instruction touched what its guest may not, or a page that is the interpreter's.
    fn at_guard_page(&mut self, text: ScannedText<'_>, registers: &mut [u32; 32], at: Ran) -> Ran {
        let offset = at.pc as u32;
        let lost = Ran { left: 0, ..at };
        let Some(chunk) = self.chunks.iter().find(|chunk| chunk.code.contains(&offset)) else {
            return lost;
        };
        let within = offset - chunk.code.start;
        let pc = chunk.first + chunk.starts.partition_point(|start| *start <= within) - 1;
        let stop = (chunk.first, pc);
        let found = at_stop(text, &self.plan, &chunk.regions, self.exits, stop);
        let Some((standing, again)) = found else { return lost };
        standing.reveal(&self.frame.hosts, registers);
        self.is_visited = true;
        self.visits += 1 + again as u32 / INSTRUCTIONS_PER_VISIT;
        // The block was paid in full; from here on nothing of it has retired.
        let unspent = self.plan.rest_of_block(pc) as u64;
        Ran { pc, left: at.left.saturating_add(unspent), interpret: 1 }
    }
}

/// Whether an instruction can be entered.
enum Entry {
    /// At this address.
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
