//! All rows that occur in what programs execute, in every form, and all places where they fit.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::profile::{Program, Straight};
use crate::threaded::fused::{STEP, Walked};
use crate::threaded::kind::{Kind, NONE, ROW_MAX, operation_of};
use crate::threaded::rows;
use crate::threaded::wires::Form;

/// Rows that occur, and where.
pub struct Candidates {
    pub(super) rows: Vec<[Kind; ROW_MAX]>,
    /// Where each fits.
    pub(super) places: Vec<Vec<Place>>,
    pub(super) straights: Vec<Straight>,
    /// Program and weight of one execution, by straight code.
    pub(super) owners: Vec<(usize, f64)>,
    pub(super) executed: Vec<f64>,
}

/// A row that fits at a place of straight code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) row: u32,
    pub(super) straight: u32,
    pub(super) at: u16,
    pub(super) len: u16,
    pub(super) walked: Walked,
    /// What it really costs, and which part gets to its end.
    pub(super) cost: f32,
    pub(super) stayed: f32,
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
                    let mut row = [NONE; ROW_MAX];
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
        found.extend(rows::always().map(|row| (row, 0.0)));
        self.rows = found.into_iter().map(|(row, _)| row).collect();
        self.rows.sort_unstable();
        self.rows.dedup();
    }

    /// Every place where one of the rows fits.
    fn find_places(&mut self) {
        let (mut nodes, mut ends) = (Nodes::new(), BTreeMap::new());
        for (number, row) in self.rows.iter().enumerate() {
            let mut node = 0;
            for kind in row.iter().take_while(|kind| **kind != NONE) {
                let next = nodes.len() as u32 + 1;
                node = *nodes.entry((node, operation_of(*kind), *kind)).or_insert(next);
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
