//! From a verified image to a loaded client: the scan of 7.3, then the layout of its memory.
//!
//! Clause: X.1198 7.3. What must never happen: anything of a client runs before the scan has seen
//! all of it.

use alloc::collections::VecDeque;
use alloc::sync::Arc;

use super::Client;
use crate::abi;
use crate::call::Calls;
use crate::engine::{Engine, Machine};
use crate::event::{State, Trigger, next_state};
use crate::image::{Image, Program};
use crate::memory::GuestMemory;
use crate::monitor::PolicyMonitor;
use crate::policy::{Limits, PermitTable};
use crate::scan::{DecodedText, ScanError, ScanReport, scan};

impl Client {
    /// Scans and loads the flat image of a package.
    ///
    /// # Errors
    /// [`ScanError`] when the scan of 7.3 refuses the client; nothing of it has run.
    // spec: X-S02 X-S03 X-53 X-59 X-C02 X-52 X-06 X-23
    pub fn load(image: &Image, permits: PermitTable, limits: Limits) -> Result<Self, ScanError> {
        let len = u32::try_from(image.code.len()).unwrap_or(u32::MAX);
        let end = u64::from(image.load_offset) + u64::from(len);
        if len == 0 || len > limits.code_bytes {
            return Err(ScanError::Length { what: "code", len });
        }
        if end > u64::from(limits.code_bytes.min(abi::RAM_BASE)) {
            return Err(ScanError::LoadOffset(image.load_offset));
        }
        let text = image
            .code
            .get(..image.text_bytes as usize)
            .ok_or(ScanError::Length { what: "text", len: image.text_bytes })?;
        let entry =
            image.load_offset.checked_add(image.entry).ok_or(ScanError::Entry(image.entry))?;
        let (decoded, report) = scan(text, image.load_offset, entry, &permits, &limits)?;
        let mut memory = GuestMemory::default();
        let ram = limits.ram_bytes & !15;
        let stack = abi::RAM_BASE.saturating_add(ram).saturating_add(abi::GUARD_BYTES);
        let stack_len = limits.stack_bytes & !15;
        // Whole pages of code can be protected by a host that has pages.
        let padding = (end.next_multiple_of(u64::from(abi::GUARD_BYTES)) - end) as u32;
        let laid_out = memory.map(stack, &[], stack_len, true)
            && memory.map(abi::RAM_BASE, &[], ram, true)
            && memory.map(image.load_offset, &image.code, len + padding, false);
        if !laid_out {
            return Err(ScanError::Layout(stack));
        }
        Self::new(decoded, report, memory, entry, stack.wrapping_add(stack_len), permits, limits)
    }

    /// Scans and loads a plain program: its segments at their own addresses, and a stack. Segments
    /// that hold instructions are not writable.
    ///
    /// # Errors
    /// [`ScanError`] when the scan refuses the program.
    pub fn load_program(
        program: &Program,
        permits: PermitTable,
        limits: Limits,
    ) -> Result<Self, ScanError> {
        let text_end = u64::from(program.text_start) + u64::from(program.text_bytes);
        let text = program.text().ok_or(ScanError::Layout(program.text_start))?;
        let (decoded, report) = scan(&text, program.text_start, program.entry, &permits, &limits)?;
        let mut memory = GuestMemory::default();
        let stack_len = limits.stack_bytes & !15;
        let stack = abi::PROGRAM_STACK_TOP.saturating_sub(stack_len);
        if !memory.map(stack, &[], stack_len, true) {
            return Err(ScanError::Layout(stack));
        }
        let mut room = u64::from(limits.code_bytes) + u64::from(limits.ram_bytes);
        for segment in &program.segments {
            let start = u64::from(segment.address);
            let holds_text = start < text_end
                && u64::from(program.text_start) < start + u64::from(segment.memory_len);
            room = room
                .checked_sub(u64::from(segment.memory_len))
                .ok_or(ScanError::Layout(segment.address))?;
            let writable = segment.writable && !holds_text;
            if !memory.map(segment.address, &segment.bytes, segment.memory_len, writable) {
                return Err(ScanError::Layout(segment.address));
            }
        }
        // A program that was linked for the client memory map finds its RAM as a client does.
        if program.segments.iter().any(|s| s.address == abi::RAM_BASE) {
            let used = program.segments.iter().filter(|s| s.address >= abi::RAM_BASE);
            let end = used.map(|s| s.address.saturating_add(s.memory_len)).max();
            let from = end.unwrap_or(abi::RAM_BASE);
            let len = (u64::from(abi::RAM_BASE) + u64::from(limits.ram_bytes))
                .saturating_sub(u64::from(from));
            memory.map(from, &[], u32::try_from(len).unwrap_or(0), true);
        }
        let stack_top = stack.wrapping_add(stack_len);
        Self::new(decoded, report, memory, program.entry, stack_top, permits, limits)
    }

    fn new(
        text: DecodedText,
        report: ScanReport,
        memory: GuestMemory,
        entry: u32,
        stack_top: u32,
        permits: PermitTable,
        limits: Limits,
    ) -> Result<Self, ScanError> {
        Ok(Self {
            // Start lasts as long as the load; here it is over.
            state: next_state(State::Start, Trigger::Loaded).unwrap_or(State::End),
            entry: text.index(entry).ok_or(ScanError::Entry(entry))?,
            text: Arc::new(text),
            report: Arc::new(report),
            machine: Machine::new(memory),
            calls: Calls::new(PolicyMonitor::new(permits)),
            limits,
            stack_top,
            queue: VecDeque::new(),
            engine: Engine::default(),
            tier: None,
            spent: 0,
        })
    }
}
