//! Which rows have a function of their own: chosen by what programs execute.
//!
//! Only with the feature `rows`, for `cargo xtask rows`. The match loop counts; each run of straight
//! code is cut into rows as [`super::fused`] does it, at the same cost. Among all rows that occur,
//! in several forms, those are taken one by one that save most for their length, all programs
//! weighing alike, until there are as many as wanted.

use alloc::collections::{BTreeMap, BTreeSet, BinaryHeap};
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::sync::atomic::Ordering::Relaxed;

use super::Slot;
use super::fused::{STEP, Walked};
use super::kind::{Kind, ROW_MAX, words_of};
use super::wires::{Form, Stretch, Wired};
use crate::Client;

impl Slot {
    /// The match loop executes it, having come by a transfer or not.
    pub(crate) fn count(&self, by_transfer: bool) {
        let [executed, arrived] = &self.counts;
        executed.fetch_add(1, Relaxed);
        arrived.fetch_add(u64::from(by_transfer), Relaxed);
    }
}

/// What a client's match loop has executed.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    straights: Vec<Straight>,
    executed: f64,
}

/// Straight code that was executed.
#[derive(Clone, Debug)]
struct Straight {
    wires: Vec<Wired>,
    executed: Vec<f64>,
    /// By a transfer.
    arrived: Vec<f64>,
    /// Of those that executed an instruction, the part that went on to the next.
    stayed: Vec<f64>,
}

impl Client {
    /// What was executed since the last call.
    #[must_use]
    pub fn take_profile(&self) -> Profile {
        let counts = |slot: &Slot| {
            let [executed, arrived] = &slot.counts;
            (executed.swap(0, Relaxed) as f64, arrived.swap(0, Relaxed) as f64)
        };
        self.profile(self.text.code.iter().map(counts).collect())
    }

    /// As if every instruction were executed once, and half of the branches taken.
    #[must_use]
    pub fn text_profile(&self) -> Profile {
        let mut stayed = 0.0;
        let counts = |slot: &Slot| {
            let count = (1.0, 1.0 - stayed);
            stayed = match slot.instruction.op {
                op if super::wires::ends_straight_code(op) => 0.0,
                op if super::wires::is_transfer(op) => 0.5,
                _ => 1.0,
            };
            count
        };
        self.profile(self.text.code.iter().map(counts).collect())
    }

    fn profile(&self, counts: Vec<(f64, f64)>) -> Profile {
        let mut profile = Profile::default();
        let mut at = 0;
        while let (Some(here), Some(counts)) = (self.text.code.get(at..), counts.get(at..))
            && !here.is_empty()
        {
            let stretch = Stretch::of(here, at);
            let wires = stretch.from(0).to_vec();
            let len = wires.len();
            at += len;
            let executed: Vec<f64> =
                counts.iter().take(len).map(|(executed, _)| *executed).collect();
            let sum: f64 = executed.iter().sum();
            if sum == 0.0 {
                continue;
            }
            let arrived = counts.iter().take(len).map(|(_, arrived)| *arrived).collect();
            let behind = counts.iter().skip(1).map(|(executed, arrived)| executed - arrived);
            let behind = behind.chain([0.0]).zip(&executed);
            let stayed = behind.map(|(on, all)| if *all > 0.0 { on / all } else { 0.0 }).collect();
            profile.executed += sum;
            profile.straights.push(Straight { wires, executed, arrived, stayed });
        }
        profile
    }
}

mod likely;

/// A program, how much it weighs beside others, and what it executed.
#[derive(Clone, Debug)]
pub struct Program {
    /// For the report.
    pub name: String,
    /// What all its instructions together count.
    pub weight: f64,
    /// What it executed.
    pub profile: Profile,
}

/// What one instruction of a program takes.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// Instructions of one step.
    pub per_step: f64,
    /// Cost of one instruction, as the engine counts it when it chooses.
    pub cost: f64,
}

/// Rows that occur, and where.
pub struct Candidates {
    rows: Vec<[Kind; ROW_MAX]>,
    /// Where each fits.
    places: Vec<Vec<Place>>,
    straights: Vec<Straight>,
    /// Program and weight of one execution, by straight code.
    owners: Vec<(usize, f64)>,
    executed: Vec<f64>,
}

/// A row that fits at a place of straight code.
#[derive(Clone, Copy, Debug)]
struct Place {
    row: u32,
    straight: u32,
    at: u16,
    len: u16,
    walked: Walked,
    /// What it really costs, and which part gets to its end.
    cost: f32,
    stayed: f32,
}

/// The most candidates that are looked at.
const CANDIDATES_MAX: usize = 120_000;
/// Instructions that are executed more seldom than this part of their program are left out.
const SELDOM: f64 = 1e-4;

type Nodes = BTreeMap<(u32, u32, Kind), u32>;

impl Candidates {
    /// All rows of these programs that may be worth a function.
    #[must_use]
    pub fn of(programs: &[Program]) -> Self {
        let mut all = Self {
            rows: Vec::new(),
            places: Vec::new(),
            straights: Vec::new(),
            owners: Vec::new(),
            executed: programs.iter().map(|program| program.profile.executed).collect(),
        };
        for (number, program) in programs.iter().enumerate() {
            let weight = program.weight / program.profile.executed.max(1.0);
            for straight in &program.profile.straights {
                all.straights.push(straight.clone());
                all.owners.push((number, weight));
            }
        }
        all.find_rows();
        all.find_places();
        all
    }

    /// All rows in all forms, those first that seem to save most.
    fn find_rows(&mut self) {
        let mut found: BTreeMap<[Kind; ROW_MAX], f64> = BTreeMap::new();
        for (straight, (owner, weight)) in self.straights.iter().zip(&self.owners) {
            let seldom = self.executed.get(*owner).copied().unwrap_or(0.0) * SELDOM;
            for at in 0..straight.wires.len() {
                let executed = straight.executed.get(at).copied().unwrap_or(0.0);
                if executed < seldom || executed == 0.0 {
                    continue;
                }
                for form in Form::ALL {
                    let mut row = [super::kind::NONE; ROW_MAX];
                    let mut saved = 0.0;
                    let mut reached = executed;
                    let wires = straight.wires.iter().zip(&straight.stayed).skip(at);
                    for (place, (wire, stayed)) in wires.enumerate().take(ROW_MAX) {
                        if !wire.has_rows() {
                            break;
                        }
                        let kind = wire.kind_in(place, form);
                        if let Some(last) = row.get_mut(place) {
                            *last = kind;
                        }
                        let less = f64::from(wire.cost(wire.alone(), 0))
                            - f64::from(wire.cost(kind, place));
                        saved += reached * (less + if place == 0 { 0.0 } else { f64::from(STEP) });
                        reached *= stayed;
                        *found.entry(row).or_default() += saved * weight;
                        if wire.leads_back() {
                            break;
                        }
                    }
                }
            }
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(CANDIDATES_MAX);
        // Those that are there anyway.
        found.extend(super::rows::always().map(|row| (row, 0.0)));
        self.rows = found.into_iter().map(|(row, _)| row).collect();
        self.rows.sort_unstable();
        self.rows.dedup();
    }

    /// Every place where one of the rows fits.
    fn find_places(&mut self) {
        let (mut nodes, mut ends) = (Nodes::new(), BTreeMap::new());
        for (number, row) in self.rows.iter().enumerate() {
            let mut node = 0;
            for kind in row.iter().take_while(|kind| **kind != super::kind::NONE) {
                let next = nodes.len() as u32 + 1;
                node =
                    *nodes.entry((node, super::kind::operation_of(*kind), *kind)).or_insert(next);
            }
            ends.insert(node, number);
        }
        let mut places: Vec<Vec<Place>> = self.rows.iter().map(|_| Vec::new()).collect();
        for (number, straight) in self.straights.iter().enumerate() {
            for at in 0..straight.wires.len() {
                if straight.executed.get(at).is_none_or(|executed| *executed == 0.0) {
                    continue;
                }
                let place = Place {
                    row: 0,
                    straight: number as u32,
                    at: at as u16,
                    len: 0,
                    walked: Walked::NOTHING,
                    cost: STEP as f32,
                    stayed: 1.0,
                };
                Self::visit(&nodes, &ends, straight, 0, place, &mut places);
            }
        }
        self.places = places;
    }

    /// Notes all rows that begin with what was walked, which is this node.
    fn visit(
        nodes: &Nodes,
        ends: &BTreeMap<u32, usize>,
        straight: &Straight,
        node: u32,
        place: Place,
        places: &mut [Vec<Place>],
    ) {
        let at = usize::from(place.at + place.len);
        let (Some(wire), Some(stayed)) = (straight.wires.get(at), straight.stayed.get(at)) else {
            return;
        };
        for operation in wire.operations() {
            let range = (node, operation, 0)..=(node, operation, Kind::MAX);
            for ((_, _, kind), next) in nodes.range(range) {
                let Some(walked) = place.walked.on(wire, *kind) else { continue };
                let cost = wire.cost(*kind, usize::from(place.len)) as f32;
                let place = Place {
                    len: place.len + 1,
                    walked,
                    cost: place.cost + place.stayed * cost,
                    stayed: place.stayed * *stayed as f32,
                    ..place
                };
                if let Some(row) = ends.get(next)
                    && let Some(places) = places.get_mut(*row)
                {
                    places.push(Place { row: *row as u32, ..place });
                }
                if !wire.leads_back() {
                    Self::visit(nodes, ends, straight, *next, place, places);
                }
            }
        }
    }
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
        let always: BTreeSet<_> = super::rows::always().collect();
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
