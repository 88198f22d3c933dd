//! Jumps within the buffer are written with distances of 32 bits, since most lead forward to where
//! nothing is yet. In the end those that 8 bits can say get 8: a branch takes two octets then and
//! not six.

use super::{Assembler, Label};

/// How often it is looked for jumps that the shorter ones before have made near enough.
const ROUNDS: usize = 4;
/// Octets of a jump with a distance of 8 bits.
const SHORT: u32 = 2;

/// A jump to a label.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jump {
    /// Where its opcode begins.
    pub(super) at: u32,
    /// Octets with a distance of 32 bits.
    pub(super) long: u32,
    pub(super) to: Label,
}

impl Jump {
    /// What a short one saves.
    const fn saves(self) -> u32 {
        self.long - SHORT
    }
}

/// A finished buffer.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Vec<u8>,
    /// Where a jump that became short began, and what all up to it save.
    moves: Vec<(u32, u32)>,
}

impl Finished {
    /// Where a place of the buffer is now.
    pub(crate) fn moved(&self, place: u32) -> u32 {
        let before = self.moves.partition_point(|(at, _)| *at < place).checked_sub(1);
        place - before.and_then(|last| self.moves.get(last)).map_or(0, |(_, saved)| *saved)
    }
}

impl Assembler {
    /// Fills all distances in; `None` when a label was never bound.
    pub(crate) fn finish(self) -> Option<Finished> {
        let Self { code, labels, jumps, far } = self;
        let target = |jump: &Jump| labels.get(jump.to.0 as usize).copied().flatten();
        let targets: Vec<u32> = jumps.iter().map(target).collect::<Option<_>>()?;
        // How many jumps begin before a target.
        let before = |target: &u32| jumps.partition_point(|jump| jump.at < *target);
        let befores: Vec<usize> = targets.iter().map(before).collect();
        let mut is_short = vec![false; jumps.len()];
        // What the jumps before each one save, and at the end what all save.
        let mut saved = vec![0_u32; jumps.len() + 1];
        for _ in 0..ROUNDS {
            let mut is_changed = false;
            for (at, jump) in jumps.iter().enumerate() {
                let (to, before) = (*targets.get(at)?, *befores.get(at)?);
                let short = is_short.get_mut(at)?;
                let length = if *short { SHORT } else { jump.long };
                let end = jump.at + length - *saved.get(at)?;
                let distance = (to - *saved.get(before)?).wrapping_sub(end) as i32;
                if !*short && i8::try_from(distance).is_ok() {
                    *short = true;
                    is_changed = true;
                }
            }
            let mut sum = 0;
            for ((jump, short), saved) in jumps.iter().zip(&is_short).zip(&mut saved) {
                *saved = sum;
                sum += if *short { jump.saves() } else { 0 };
            }
            *saved.last_mut()? = sum;
            if !is_changed {
                break;
            }
        }
        let mut finished = Finished {
            code: Vec::with_capacity(code.len() - *saved.last()? as usize),
            moves: Vec::new(),
        };
        let mut copied = 0;
        for (at, jump) in jumps.iter().enumerate() {
            finished.code.extend_from_slice(code.get(copied..jump.at as usize)?);
            copied = (jump.at + jump.long) as usize;
            let to = *targets.get(at)? - *saved.get(*befores.get(at)?)?;
            // E9, or 0F and a condition.
            let condition = code.get(jump.at as usize + 1)?;
            let is_conditional = code.get(jump.at as usize) == Some(&0x0F);
            let distance = |from: usize| to.wrapping_sub(from as u32);
            if *is_short.get(at)? {
                finished.code.push(if is_conditional { condition & 0x0F | 0x70 } else { 0xEB });
                let distance = distance(finished.code.len() + 1);
                finished.code.push(distance as u8);
                finished.moves.push((jump.at, *saved.get(at + 1)?));
            } else {
                let opcode = code.get(jump.at as usize..copied - 4)?;
                finished.code.extend_from_slice(opcode);
                let distance = distance(finished.code.len() + 4);
                finished.code.extend_from_slice(&distance.to_le_bytes());
            }
        }
        finished.code.extend_from_slice(code.get(copied..)?);
        for (at, target) in far {
            let at = finished.moved(at) as usize;
            let place = finished.code.get_mut(at..at + 4)?;
            let distance = target - (at as i64 + 4);
            place.copy_from_slice(&i32::try_from(distance).ok()?.to_le_bytes());
        }
        Some(finished)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::Condition;
    use super::*;

    /// Where a jump at a place of the code leads.
    fn leads(code: &[u8], at: usize) -> usize {
        let (end, distance) = match code[at] {
            0xEB | 0x70..0x80 => (at + 2, i32::from(code[at + 1] as i8)),
            0xE9 => (at + 5, i32::from_le_bytes(code[at + 1..at + 5].try_into().unwrap())),
            _ => (at + 6, i32::from_le_bytes(code[at + 2..at + 6].try_into().unwrap())),
        };
        end.checked_add_signed(distance as isize).unwrap()
    }

    /// All distances around the ones that 8 bits can just say, forward, backward and over others.
    #[test]
    fn every_jump_leads_where_its_label_is() {
        for fill in 100..140 {
            let mut code = Assembler::default();
            let [back, on, over] = core::array::from_fn(|_| code.label());
            let mut jumps = Vec::new();
            code.bind(back);
            code.code.resize(fill, 0x90);
            for (to, condition) in
                [(back, Some(Condition::Less)), (on, None), (over, Some(Condition::Above))]
            {
                jumps.push((code.here(), to));
                match condition {
                    Some(condition) => code.jump_if(condition, to),
                    None => code.jump(to),
                }
            }
            code.code.resize(2 * fill, 0x90);
            code.bind(on);
            jumps.push((code.here(), back));
            code.jump(back);
            code.bind(over);
            let far = code.here();
            code.jump_far(-1000);
            let places = [back, on, over].map(|label| code.labels[label.0 as usize].unwrap());
            let finished = code.finish().unwrap();
            for (at, to) in jumps {
                let to = finished.moved(places[to.0 as usize]) as usize;
                assert_eq!(leads(&finished.code, finished.moved(at) as usize), to, "{fill}");
            }
            let far = finished.moved(far) as usize;
            let distance = finished.code[far + 1..far + 5].try_into().unwrap();
            assert_eq!(far as i32 + 5 + i32::from_le_bytes(distance), -1000);
            let shortest = fill == 100;
            assert!(!shortest || finished.code.len() < 2 * fill + 5 + 6 + 5 + 6 + 5);
        }
    }
}
