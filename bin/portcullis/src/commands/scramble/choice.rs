//! Which PIDs are worked on: those that were named, or those that carry a service's streams.

use std::sync::Arc;

use portcullis_ts::psi::{Pat, SectionAssembler, TableAssembler};
use portcullis_ts::{Packet, RawPacket};
use portcullis_types::Pid;

/// The PIDs at one place of the stream.
#[derive(Clone)]
pub(super) struct Chosen(Arc<[bool; PIDS]>);

/// Which PIDs are worked on.
pub(super) struct Choice {
    chosen: Chosen,
    /// None when the PIDs were named.
    tables: Option<(SectionAssembler, TableAssembler)>,
    decided: bool,
}

/// PIDs there are.
const PIDS: usize = 0x2000;
/// PIDs up to here belong to PSI and SI (EN 300 468 5.1.3).
const SI_LAST: usize = 0x1F;

impl Choice {
    /// The named PIDs, or all but null packets, the PIDs that PSI and SI own, and the PMTs.
    pub(super) fn new(pids: &[Pid]) -> Self {
        let by_table = pids.is_empty();
        let mut choice = Self {
            chosen: Chosen(Arc::new([by_table; PIDS])),
            tables: by_table.then(|| (SectionAssembler::new(), TableAssembler::new())),
            decided: !by_table,
        };
        for si in 0..=SI_LAST {
            choice.set(si, false);
        }
        choice.set(usize::from(Pid::NULL.get()), false);
        pids.iter().for_each(|pid| choice.set(usize::from(pid.get()), true));
        choice
    }

    /// Whether the PAT is still to come that says it.
    pub(super) const fn undecided(&self) -> bool {
        !self.decided
    }

    /// Takes in the PATs of these packets.
    pub(super) fn learn(&mut self, packets: &[RawPacket]) {
        let Some((mut pat, mut table)) = self.tables.take() else { return };
        for packet in packets.iter().map(Packet::new).filter(|packet| packet.pid() == Pid::PAT) {
            pat.push(packet);
            while let Some(section) = pat.pop() {
                // A damaged PAT is not believed; the next one may be whole.
                let Ok(Some(sections)) = table.push(section) else { continue };
                let Ok(found) = Pat::parse(&sections) else { continue };
                for program in &found.programs {
                    self.set(usize::from(program.pmt_pid.get()), false);
                }
                self.decided = true;
            }
        }
        self.tables = Some((pat, table));
    }

    /// The PIDs as they are now.
    pub(super) fn chosen(&self) -> Chosen {
        self.chosen.clone()
    }

    fn set(&mut self, pid: usize, chosen: bool) {
        // Tables come again and again; a copy is made only when they say something new.
        if self.chosen.0.get(pid).is_some_and(|place| *place != chosen)
            && let Some(place) = Arc::make_mut(&mut self.chosen.0).get_mut(pid)
        {
            *place = chosen;
        }
    }
}

impl Chosen {
    #[inline]
    pub(super) fn holds(&self, pid: Pid) -> bool {
        self.0.get(usize::from(pid.get())).is_some_and(|chosen| *chosen)
    }
}
