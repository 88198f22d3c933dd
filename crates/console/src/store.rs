//! The state store: programs, boxes and the air feed it, pages read snapshots of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use portcullis_types::ScramblingMode;
use serde_json::Value;
use tokio::sync::{broadcast, watch};

use crate::Limits;
use crate::air::AirMeter;
use crate::fold::BoxRecord;
use crate::latency::LatencyWindow;
use crate::output::BoxOutput;
use crate::state::{CaSystem, Channel, Level, LogLine, Phase, Process, Product, State};

/// The console's state. Cloning gives another handle to the same one.
#[derive(Debug, Clone)]
pub struct Console {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limits: Limits,
    model: Mutex<Model>,
    changes: watch::Sender<u64>,
    air: broadcast::Sender<Bytes>,
}

/// The model behind the lock.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) channel: Channel,
    pub(crate) ecm: LatencyWindow,
    pub(crate) products: Vec<Product>,
    pub(crate) log: Log,
    ca_systems: Vec<CaSystem>,
    processes: Vec<Process>,
    boxes: BTreeMap<String, BoxRecord>,
    /// Names in the order they were added.
    order: Vec<String>,
    air: AirMeter,
}

/// The same line again within so long is no news.
const SAME_NEWS_MS: u64 = 2000;

/// The event log, newest first.
#[derive(Debug, Default)]
pub(crate) struct Log {
    lines: std::collections::VecDeque<LogLine>,
    max: usize,
    said: u64,
}

impl Log {
    pub(crate) fn say(&mut self, level: Level, about: &str, text: impl Into<String>) {
        let (time_ms, text) = (unix_ms(), text.into());
        let fresh = |line: &&LogLine| time_ms.saturating_sub(line.time_ms) < SAME_NEWS_MS;
        let said_already = self
            .lines
            .iter()
            .take_while(fresh)
            .any(|line| (line.about.as_str(), &line.text) == (about, &text));
        if said_already {
            return;
        }
        self.said += 1;
        let line = LogLine { id: self.said, time_ms, level, about: about.to_owned(), text };
        self.lines.push_front(line);
        self.lines.truncate(self.max);
    }
}

impl Console {
    /// An empty one.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let log = Log { max: limits.log_lines, ..Log::default() };
        let model = Mutex::new(Model { log, ..Model::default() });
        let air = broadcast::Sender::new(limits.reader_backlog);
        let shared = Shared { limits, model, changes: watch::Sender::new(0), air };
        Self { shared: Arc::new(shared) }
    }

    /// What is going on air.
    pub fn set_channel(&self, name: &str, service_id: u16, mode: ScramblingMode) {
        self.change(|model| {
            model.channel.name = name.to_owned();
            model.channel.service_id = service_id;
            model.channel.mode = mode_name(mode).to_owned();
        });
    }

    /// What the operator sells, and by which CA systems.
    pub fn set_offer(&self, products: Vec<Product>, ca_systems: Vec<CaSystem>) {
        self.change(|model| {
            model.products = products;
            model.ca_systems = ca_systems;
        });
    }

    /// A supervised program started (`Some(pid)`) or ended.
    pub fn set_process(&self, role: &str, pid: Option<u32>, restarts: u32) {
        let process = Process { role: role.to_owned(), pid, running: pid.is_some(), restarts };
        self.change(|model| match model.processes.iter_mut().find(|known| known.role == role) {
            Some(known) => *known = process,
            None => model.processes.push(process),
        });
    }

    /// A line for the event log.
    pub fn say(&self, level: Level, about: &str, text: impl Into<String>) {
        self.change(|model| model.log.say(level, about, text));
    }

    /// There is a box; `None` when there are too many.
    #[must_use]
    pub fn add_box(
        &self,
        name: &str,
        vendor: &str,
        chip_id: Option<String>,
    ) -> Option<Arc<BoxOutput>> {
        self.change(|model| {
            if !model.boxes.contains_key(name) {
                if model.boxes.len() >= self.shared.limits.boxes {
                    return None;
                }
                model.order.push(name.to_owned());
                let output = Arc::new(BoxOutput::new(&self.shared.limits));
                model.boxes.insert(name.to_owned(), BoxRecord::new(name, vendor, chip_id, output));
            }
            model.boxes.get(name).map(|record| record.output.clone())
        })
    }

    /// The box was switched on, and its terminal runs as this process.
    pub fn box_started(&self, name: &str, terminal_pid: Option<u32>) {
        self.with_box(name, |record, log| record.started(terminal_pid, log));
    }

    /// The box was switched off.
    pub fn box_off(&self, name: &str) {
        self.with_box(name, |record, log| record.switched_off(log));
    }

    /// The terminal of the box ended by itself; why, when it said.
    pub fn box_failed(&self, name: &str, why: &str) {
        self.with_box(name, |record, log| record.failed(why, log));
    }

    /// Products that the operator has sold to the box.
    pub fn set_sold(&self, name: &str, products: Vec<String>) {
        self.with_box(name, |record, _| record.set_sold(products));
    }

    /// One event of a program, as it stood on its stderr.
    pub fn program_event(&self, role: &str, event: &Value) {
        self.change(|model| model.program_event(role, event, Instant::now()));
    }

    /// One event of a box.
    pub fn box_event(&self, name: &str, event: &Value) {
        self.with_box(name, |record, log| record.event(event, Instant::now(), log));
    }

    /// Octets that came out of a box.
    pub fn box_output(&self, name: &str, octets: &[u8]) {
        let output = self.output(name);
        if output.is_some_and(|output| output.feed(octets) > 0) {
            let mut model = self.lock();
            let turned = model.boxes.get_mut(name).is_some_and(|record| {
                record.saw_picture(Instant::now());
                record.state.phase != Phase::Playing
            });
            drop(model);
            if turned {
                self.settle();
            }
        }
    }

    /// A datagram of what is on air.
    pub fn air(&self, datagram: &[u8]) {
        let sample = self.lock().air.feed(Instant::now(), datagram);
        if let Some(sample) = sample {
            // Nobody looking is no fault.
            let _ = self.shared.air.send(sample);
        }
    }

    /// Brings all that depends on time up to date; to be called several times a second.
    pub fn settle(&self) {
        let now = Instant::now();
        let mut model = self.lock();
        let Model { air, channel, boxes, log, products, .. } = &mut *model;
        let mut changed = air.show(now, channel);
        for record in boxes.values_mut() {
            changed |= record.settle(now, self.shared.limits.picture_gap, channel, products, log);
        }
        drop(model);
        if changed {
            self.shared.changes.send_modify(|seq| *seq += 1);
        }
    }

    /// Everything the page shows, now.
    #[must_use]
    pub fn snapshot(&self) -> State {
        let now = Instant::now();
        let mut model = self.lock();
        let channel = Channel { ecm: model.ecm.show(now), ..model.channel.clone() };
        let Model { boxes, order, .. } = &mut *model;
        let boxes = order.iter().filter_map(|name| Some(boxes.get_mut(name)?.show(now))).collect();
        State {
            seq: *self.shared.changes.borrow(),
            time_ms: unix_ms(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            channel,
            processes: model.processes.clone(),
            products: model.products.clone(),
            ca_systems: model.ca_systems.clone(),
            boxes,
            log: model.log.lines.iter().cloned().collect(),
        }
    }

    /// Wakes up with each change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    pub(crate) fn output(&self, name: &str) -> Option<Arc<BoxOutput>> {
        self.lock().boxes.get(name).map(|record| record.output.clone())
    }

    pub(crate) fn air_samples(&self) -> broadcast::Receiver<Bytes> {
        self.shared.air.subscribe()
    }

    fn with_box(&self, name: &str, f: impl FnOnce(&mut BoxRecord, &mut Log)) {
        self.change(|model| {
            let Model { boxes, log, .. } = model;
            if let Some(record) = boxes.get_mut(name) {
                f(record, log);
            }
        });
        self.settle();
    }

    fn change<T>(&self, f: impl FnOnce(&mut Model) -> T) -> T {
        let result = f(&mut self.lock());
        self.shared.changes.send_modify(|seq| *seq += 1);
        result
    }

    fn lock(&self) -> MutexGuard<'_, Model> {
        self.shared.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Milliseconds since 1970.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The name people know a mode by.
const fn mode_name(mode: ScramblingMode) -> &'static str {
    match mode {
        ScramblingMode::Csa2 => "DVB-CSA2",
        ScramblingMode::Csa2Full => "DVB-CSA2, 64 bits",
        ScramblingMode::Cissa => "DVB-CISSA",
        ScramblingMode::Idsa => "ATIS IDSA",
        ScramblingMode::AesCbc => "AES-128-CBC",
        ScramblingMode::AesCtr => "AES-128-CTR",
    }
}
