//! The choice itself: one row after the other, that which saves most for its length.

use alloc::collections::{BTreeSet, BinaryHeap};
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::candidates::{Candidates, Place};
use crate::threaded::fused::STEP;
use crate::threaded::kind::{ROW_MAX, words_of};
use crate::threaded::rows;

/// What one instruction of a program takes.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// Instructions of one step.
    pub per_step: f64,
    /// Cost of one instruction, as the engine counts it when it chooses.
    pub cost: f64,
}

/// A choice of rows, and what the programs take with it.
pub struct Choice<'a> {
    all: &'a Candidates,
    /// The rows that fit, by straight code and instruction.
    fitting: Vec<Vec<Vec<Place>>>,
    /// What each straight code costs.
    costs: Vec<f64>,
    chosen: Vec<usize>,
}

/// Of an instruction, how long the row is that begins there, which part gets to its end, and its
/// number.
type Length = (usize, f64, usize);

/// What a row saves for each instruction in it, when it was last looked at.
struct Saved(f64, usize);

impl Ord for Saved {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(other.1.cmp(&self.1))
    }
}

impl PartialOrd for Saved {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Saved {}

impl PartialEq for Saved {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<'a> Choice<'a> {
    /// Chooses so many rows beside those that are always there.
    #[must_use]
    pub fn of(all: &'a Candidates, count: usize) -> Self {
        let fitting = all.straights.iter().map(|s| s.wires.iter().map(|_| Vec::new()).collect());
        let mut choice =
            Self { all, fitting: fitting.collect(), costs: Vec::new(), chosen: Vec::new() };
        let mut rest = BinaryHeap::new();
        let always: BTreeSet<_> = rows::always().collect();
        for (number, row) in all.rows.iter().enumerate() {
            if always.contains(row) {
                choice.fit(number);
            } else {
                rest.push(Saved(f64::MAX, number));
            }
        }
        choice.costs = (0..all.straights.len()).map(|s| choice.evaluate(s, &[]).0).collect();
        while choice.chosen.len() < count
            && let Some(Saved(_, number)) = rest.pop()
        {
            let saved = Saved(choice.saved(number), number);
            if saved.0 <= 0.0 {
                continue;
            }
            if rest.peek().is_some_and(|next| *next > saved) {
                rest.push(saved);
                continue;
            }
            choice.fit(number);
            choice.chosen.push(number);
            for straight in choice.straights_of(number) {
                let cost = choice.evaluate(straight, &[]).0;
                if let Some(place) = choice.costs.get_mut(straight) {
                    *place = cost;
                }
            }
        }
        choice
    }

    fn places(&self, row: usize) -> &'a [Place] {
        self.all.places.get(row).map_or(&[], Vec::as_slice)
    }

    /// The straight codes where a row fits, each once.
    fn straights_of(&self, row: usize) -> impl Iterator<Item = usize> + use<'a> {
        self.places(row)
            .chunk_by(|a, b| a.straight == b.straight)
            .filter_map(|places| places.first().map(|place| place.straight as usize))
    }

    fn fit(&mut self, row: usize) {
        for place in self.places(row) {
            let straight = self.fitting.get_mut(place.straight as usize);
            if let Some(fitting) = straight.and_then(|s| s.get_mut(usize::from(place.at))) {
                fitting.push(*place);
            }
        }
    }

    /// What a row would save more, for each instruction in it and eight besides.
    fn saved(&self, row: usize) -> f64 {
        let of_one = self.places(row).chunk_by(|a, b| a.straight == b.straight);
        let saved: f64 = of_one
            .filter_map(|places| {
                let straight = places.first()?.straight as usize;
                let (_, weight) = self.all.owners.get(straight)?;
                if *weight == 0.0 {
                    return None;
                }
                Some(weight * (self.costs.get(straight)? - self.evaluate(straight, places).0))
            })
            .sum();
        let len = self.places(row).first().map_or(0, |place| place.len);
        saved / (f64::from(len) + 8.0)
    }

    /// What one straight code costs altogether with one row more, and its steps. The rows are
    /// chosen as the engine does it, and then cost what was really executed.
    fn evaluate(&self, straight: usize, more: &[Place]) -> (f64, f64) {
        self.walk(straight, more, |_| {})
    }

    /// The rows that begin at each instruction.
    fn lengths(&self, straight: usize) -> Vec<Length> {
        let mut lengths = Vec::new();
        self.walk(straight, &[], |length| lengths.push(length));
        lengths.reverse();
        lengths
    }

    fn walk(&self, straight: usize, more: &[Place], mut seen: impl FnMut(Length)) -> (f64, f64) {
        let (Some(code), Some(fitting)) =
            (self.all.straights.get(straight), self.fitting.get(straight))
        else {
            return (0.0, 0.0);
        };
        let mut behind = [(0_u32, 0.0_f64, 0.0_f64); ROW_MAX];
        let (mut cost, mut steps) = (0.0, 0.0);
        let mut more = more.iter().rev().peekable();
        for (at, fitting) in fitting.iter().enumerate().rev() {
            let mut found = (u32::MAX, 0.0, 0.0);
            let mut length = (1, code.stayed.get(at).copied().unwrap_or(0.0), 0);
            let mut consider = |place: &Place| {
                let behind = behind.get(usize::from(place.len - 1)).copied().unwrap_or_default();
                let all = place.walked.with(behind.0);
                if all < found.0 {
                    let stayed = f64::from(place.stayed);
                    length = (usize::from(place.len), stayed, place.row as usize);
                    found =
                        (all, f64::from(place.cost) + stayed * behind.1, 1.0 + stayed * behind.2);
                }
            };
            while let Some(place) = more.next_if(|place| usize::from(place.at) >= at) {
                consider(place);
            }
            fitting.iter().for_each(&mut consider);
            if found.0 == u32::MAX {
                found = (STEP << 8, f64::from(STEP), 1.0);
            }
            seen(length);
            let arrived = code.arrived.get(at).copied().unwrap_or(0.0);
            cost += arrived * found.1;
            steps += arrived * found.2;
            behind.rotate_right(1);
            behind[0] = found;
        }
        (cost, steps)
    }

    /// What each program takes.
    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        let mut sums: Vec<(f64, f64)> = self.all.executed.iter().map(|_| (0.0, 0.0)).collect();
        for (straight, (owner, _)) in self.all.owners.iter().enumerate() {
            let (cost, steps) = self.evaluate(straight, &[]);
            if let Some(sum) = sums.get_mut(*owner) {
                *sum = (sum.0 + cost, sum.1 + steps);
            }
        }
        let sums = sums.iter().zip(&self.all.executed);
        sums.map(|((cost, steps), all)| Taken { per_step: all / steps, cost: cost / all }).collect()
    }

    /// The straight codes of one program where most is executed, and how they are cut into rows:
    /// how often each row begins, and its words.
    #[must_use]
    pub fn cuts(&self, program: usize) -> Vec<Vec<(f64, String)>> {
        let owned = self.all.owners.iter().enumerate().filter(|(_, (owner, _))| *owner == program);
        let mut found: Vec<(f64, Vec<(f64, String)>)> = owned
            .filter_map(|(straight, _)| {
                let code = self.all.straights.get(straight)?;
                Some((code.executed.iter().sum(), self.cut(straight)))
            })
            .collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found.into_iter().map(|(_, cut)| cut).collect()
    }

    fn cut(&self, straight: usize) -> Vec<(f64, String)> {
        let Some(code) = self.all.straights.get(straight) else { return Vec::new() };
        let mut begun = code.arrived.clone();
        let lengths = self.lengths(straight);
        let mut cut = Vec::new();
        for at in 0..code.wires.len() {
            let here = begun.get(at).copied().unwrap_or(0.0);
            let Some((len, stayed, row)) = lengths.get(at).copied() else { break };
            if here > 0.0 {
                cut.push((
                    here,
                    self.all.rows.get(row).map(|row| words_of(row)).unwrap_or_default(),
                ));
                if let Some(behind) = begun.get_mut(at + len) {
                    *behind += here * stayed;
                }
            }
        }
        cut
    }

    /// The rows in words, those first that save most.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let rows = self.chosen.iter().filter_map(|row| self.all.rows.get(*row));
        rows.map(|row| words_of(row)).collect()
    }
}
