//! Code that nobody wrote, but that is put together as programs are.
//!
//! Rows chosen by a corpus alone fit the corpus: other programs have the same few instructions
//! behind each other, but go on in other ways. So some code is drawn: it follows a program of the
//! corpus for a while, and then goes on as another does behind the same two instructions.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use super::profile::{Profile, Program, Straight};

/// Instructions that are drawn.
const INSTRUCTIONS: usize = 60_000;
/// Of one straight code.
const STRAIGHT_MAX: usize = 40;
/// After how many instructions another program goes on, on average.
const FOLLOWED: u32 = 4;
/// How likely a branch is not taken that leads on, or back.
const STAYS: (f64, f64) = (0.6, 0.2);

/// Where an instruction stands: straight code of a program, and place in it.
type Place = (usize, usize, usize);

/// Places with what they weigh together with those before.
#[derive(Default)]
struct Places {
    sums: Vec<(f64, Place)>,
}

impl Places {
    fn add(&mut self, weight: f64, place: Place) {
        let sum = self.sums.last().map_or(0.0, |(sum, _)| *sum);
        self.sums.push((sum + weight, place));
    }

    fn draw(&self, random: &mut u32) -> Option<Place> {
        *random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (all, _) = self.sums.last()?;
        let wanted = f64::from(*random) / f64::from(u32::MAX) * all;
        let at = self.sums.partition_point(|(sum, _)| *sum < wanted);
        self.sums.get(at).map(|(_, place)| *place)
    }
}

impl Profile {
    /// Code as it may stand in programs like these.
    #[must_use]
    pub fn likely(programs: &[Program]) -> Self {
        let straight = |(program, straight, _): Place| -> Option<&Straight> {
            programs.get(program)?.profile.straights.get(straight)
        };
        let (mut begins, mut behind) = (Places::default(), BTreeMap::<(u32, u32), Places>::new());
        for (number, program) in programs.iter().enumerate().filter(|(_, p)| p.weight > 0.0) {
            let weight = program.weight / program.profile.executed.max(1.0);
            for (which, code) in program.profile.straights.iter().enumerate() {
                let mut before = 0;
                for (at, (wire, executed)) in code.wires.iter().zip(&code.executed).enumerate() {
                    let (here, place) = (wire.alone(), (number, which, at));
                    if *executed > 0.0 && wire.has_rows() {
                        let arrived = code.arrived.get(at).copied().unwrap_or(0.0);
                        begins.add(weight * arrived, place);
                        behind.entry((before, here)).or_default().add(weight * executed, place);
                    }
                    before = here;
                }
            }
        }
        let (mut drawn, mut random) = (Self::default(), 1);
        while drawn.executed < INSTRUCTIONS as f64 {
            let Some(mut place) = begins.draw(&mut random) else { break };
            let mut code = Straight {
                wires: Vec::new(),
                executed: Vec::new(),
                arrived: vec![1.0],
                stayed: Vec::new(),
            };
            let (mut before, mut known, mut reached) = (0, 0, 1.0);
            while code.wires.len() < STRAIGHT_MAX {
                let Some(wire) = straight(place).and_then(|s| s.wires.get(place.2)) else { break };
                if !wire.has_rows() {
                    break;
                }
                let stays = match (wire.is_transfer(), wire.leads_back()) {
                    (false, _) => 1.0,
                    (true, false) => STAYS.0,
                    (true, true) => STAYS.1,
                };
                code.wires.push(wire.knowing(known));
                code.executed.push(reached);
                code.stayed.push(stays);
                drawn.executed += reached;
                reached *= stays;
                known += 1;
                let here = wire.alone();
                if wire.ends_straight_code() {
                    break;
                }
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if random >> 16 < (1 << 16) / FOLLOWED
                    && let Some(other) =
                        behind.get(&(before, here)).and_then(|places| places.draw(&mut random))
                {
                    place = other;
                    known = known.min(2);
                }
                place.2 += 1;
                before = here;
            }
            code.arrived.resize(code.wires.len(), 0.0);
            if let Some(last) = code.stayed.last_mut() {
                *last = 0.0;
            }
            drawn.straights.push(code);
        }
        drawn
    }
}
