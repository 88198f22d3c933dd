//! Watches the store in a thread of its own and makes the EMMs that a change asks for.
//!
//! The database is asked every [`POLL`] whether another connection has changed it; a sale is on
//! its way to the MUX within that time. The thread ends when nobody plays its updates any more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use portcullis_types::{CaSystemId, EpochId, GroupId, ProductId, UnixSeconds};
use portcullis_vault::Passphrase;
use tokio::sync::mpsc;

use super::maker::EmmMaker;
use super::{EmmgError, Section};
use crate::clock::unix_now;
use crate::layout::{CaSystem, DataDir};
use crate::store::{Operator, OutboxEvent, OutboxKind, Repository, StoreError, Terminal};

/// What a player gets from the watching thread.
pub(super) struct Feed {
    pub(super) updates: mpsc::Receiver<Update>,
    pub(super) marks: Sender<i64>,
}

/// A new state of the carousel.
pub(super) struct Update {
    /// Everything that is repeated.
    pub(super) cycle: Vec<Section>,
    /// What goes out first, once.
    pub(super) urgent: Vec<Section>,
    /// When all of `urgent` has been taken, events up to this one may be marked.
    pub(super) through: Option<i64>,
}

/// Opens keys and store, and starts the thread.
pub(super) fn start(
    data: &DataDir,
    ca: &CaSystem,
    passphrase: Option<&Passphrase>,
) -> Result<Feed, EmmgError> {
    let store = Operator::open(&data.operator_db())?;
    let maker = EmmMaker::open(data, ca, passphrase, store.epoch_length()?)?;
    let (updates, received) = mpsc::channel(UPDATES);
    let (marks, marked) = channel();
    let watcher = Watcher {
        ca_system: ca.description.ca_system_id,
        store,
        maker,
        uniques: BTreeMap::new(),
        groups: BTreeMap::new(),
        seen: 0,
        version: None,
        epoch: None,
        global_at: UnixSeconds(0),
    };
    std::thread::Builder::new()
        .name(format!("emm-feed-{}", ca.vendor))
        .spawn(move || watcher.run(&updates, &marked))
        .map_err(EmmgError::Thread)?;
    Ok(Feed { updates: received, marks })
}

struct Watcher {
    ca_system: CaSystemId,
    store: Operator,
    maker: EmmMaker,
    uniques: BTreeMap<i64, Section>,
    groups: BTreeMap<GroupId, Vec<Section>>,
    /// Events up to this one are in an update that has been handed out.
    seen: i64,
    version: Option<i64>,
    epoch: Option<EpochId>,
    global_at: UnixSeconds,
}

impl Watcher {
    fn run(mut self, updates: &mpsc::Sender<Update>, marked: &Receiver<i64>) {
        loop {
            match self.look() {
                Ok(Some(update)) => {
                    if updates.blocking_send(update).is_err() {
                        return;
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    // Not remembered as seen, so it is tried again.
                    self.version = None;
                    tracing::warn!("EMM generator: {error}");
                    std::thread::sleep(AFTER_ERROR);
                }
            }
            match marked.recv_timeout(POLL) {
                Ok(event) => {
                    let last = marked.try_iter().fold(event, i64::max);
                    if let Err(error) = self.store.mark_sent_through(self.ca_system, last) {
                        // The events stay pending and go out once more after a restart.
                        tracing::warn!("EMM generator: {error}");
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Looks for a change and makes what it asks for.
    fn look(&mut self) -> Result<Option<Update>, EmmgError> {
        let now = unix_now();
        let version = self.store.data_version()?;
        let epoch = self.maker.epoch(now);
        if self.epoch != Some(epoch) {
            let update = self.everything(now)?;
            (self.epoch, self.version) = (Some(epoch), Some(version));
            return Ok(Some(update));
        }
        if self.version != Some(version) {
            let update = self.changes(now)?;
            self.version = Some(version);
            if update.is_some() {
                return Ok(update);
            }
        }
        if now.0 >= self.global_at.0.saturating_add(GLOBAL_PERIOD) {
            return self.update(now, Vec::new(), None).map(Some);
        }
        Ok(None)
    }

    /// At the start and in each new epoch. What is pending goes out first.
    fn everything(&mut self, now: UnixSeconds) -> Result<Update, EmmgError> {
        let uniques = self.maker.uniques(&self.store, now)?;
        self.uniques = uniques.into_iter().map(|(id, s)| (id, s.into())).collect();
        self.groups = shared(self.maker.groups(&self.store, now, None, &BTreeSet::new())?);
        let events = self.pending()?;
        let urgent = self.urgent(now, &events)?;
        self.update(now, urgent, events.last().map(|event| event.id))
    }

    /// After a change by another connection: only what the new events touch.
    fn changes(&mut self, now: UnixSeconds) -> Result<Option<Update>, EmmgError> {
        let events = self.pending()?;
        let Some(last) = events.last().map(|event| event.id) else {
            return Ok(None);
        };
        if events.iter().any(|event| event.kind == OutboxKind::TerminalRevoked) {
            // A new K2: every member of the group needs its unique EMM again.
            return self.everything(now).map(Some);
        }
        let urgent = self.urgent(now, &events)?;
        self.update(now, urgent, Some(last)).map(Some)
    }

    fn pending(&self) -> Result<Vec<OutboxEvent>, StoreError> {
        let mut events = self.store.pending_events(self.ca_system, MAX_EVENTS)?;
        events.retain(|event| event.id > self.seen);
        Ok(events)
    }

    /// Makes anew what the events touch and returns it, unique EMMs first: they bring the K2
    /// that the group EMMs are under.
    fn urgent(
        &mut self,
        now: UnixSeconds,
        events: &[OutboxEvent],
    ) -> Result<Vec<Section>, EmmgError> {
        let touched: BTreeSet<i64> = events.iter().map(|event| event.terminal_id).collect();
        let terminals: BTreeMap<i64, Terminal> = match touched.is_empty() {
            true => BTreeMap::new(),
            false => self.store.terminals()?.into_iter().map(|t| (t.id, t)).collect(),
        };
        let mut urgent = Vec::new();
        let mut groups = BTreeMap::new();
        for id in &touched {
            let Some(terminal) = terminals.get(id) else { continue };
            let Some(place) = self.store.membership(terminal, self.ca_system)? else {
                self.uniques.remove(id);
                continue;
            };
            groups.insert(*id, place.group_id);
            match self.maker.unique(&self.store, terminal, &place, now) {
                Ok(section) => {
                    let section = Section::from(section);
                    self.uniques.insert(*id, Arc::clone(&section));
                    urgent.push(section);
                }
                Err(EmmgError::Keys(error)) => {
                    tracing::warn!("no unique EMM for box {}: {error}", terminal.name);
                }
                Err(error) => return Err(error),
            }
        }
        let cancelled = self.cancelled(events, &groups)?;
        for group in groups.into_values().collect::<BTreeSet<_>>() {
            let made = shared(self.maker.groups(&self.store, now, Some(group), &cancelled)?);
            let sections = made.into_values().flatten().collect::<Vec<_>>();
            urgent.extend(sections.iter().cloned());
            self.groups.insert(group, sections);
        }
        Ok(urgent)
    }

    /// Which products of which groups lose a member by these events, packages taken apart.
    fn cancelled(
        &self,
        events: &[OutboxEvent],
        groups: &BTreeMap<i64, GroupId>,
    ) -> Result<BTreeSet<(GroupId, ProductId)>, StoreError> {
        let products = self.store.products()?;
        let mut cancelled = BTreeSet::new();
        for event in events.iter().filter(|event| event.kind == OutboxKind::Unentitled) {
            let (Some(group), Some(id)) = (groups.get(&event.terminal_id), event.product) else {
                continue;
            };
            let sold = products.iter().find(|product| product.id == id);
            let members = sold.map(|product| product.members.as_slice()).unwrap_or_default();
            cancelled.extend(members.iter().chain([&id]).map(|product| (*group, *product)));
        }
        Ok(cancelled)
    }

    fn update(
        &mut self,
        now: UnixSeconds,
        urgent: Vec<Section>,
        through: Option<i64>,
    ) -> Result<Update, EmmgError> {
        let mut cycle = vec![Section::from(self.maker.global(now)?)];
        cycle.extend(self.uniques.values().cloned());
        cycle.extend(self.groups.values().flatten().cloned());
        self.global_at = now;
        self.seen = through.unwrap_or(self.seen).max(self.seen);
        Ok(Update { cycle, urgent, through })
    }
}

fn shared(groups: BTreeMap<GroupId, Vec<Vec<u8>>>) -> BTreeMap<GroupId, Vec<Section>> {
    groups
        .into_iter()
        .map(|(group, sections)| (group, sections.into_iter().map(Section::from).collect()))
        .collect()
}

/// How often the database is asked for changes; marking what was sent does not wait for it.
const POLL: Duration = Duration::from_millis(50);

const AFTER_ERROR: Duration = Duration::from_millis(500);

/// Seconds between two versions of the signed time.
const GLOBAL_PERIOD: u64 = 10;

/// Updates that may wait for the player; the thread waits then.
const UPDATES: usize = 4;

/// Events taken at once; more follow with the next look.
const MAX_EVENTS: usize = 10_000;
