//! Folds what the programs say about themselves into the state.
//!
//! Whether a box plays is not taken from what anybody says: pictures come out of it or not. All
//! the rest is the programs' own word, shown as such; a field that is not there stays unknown.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use crate::fields::{
    duration_ms, flag, latency_us, number, number32, parity, parity_of, sentence, text,
    text_or_number,
};
use crate::latency::LatencyWindow;
use crate::output::BoxOutput;
use crate::state::{BootLink, BoxState, Client, CryptoPeriod, Descrambler, Level, Phase};
use crate::store::{Log, Model, unix_ms};

/// Links shown of one boot.
const BOOT_LINKS_MAX: usize = 16;

impl Model {
    pub(crate) fn program_event(&mut self, role: &str, event: &Value, now: Instant) {
        match text(event, &["event"]).as_deref() {
            Some("crypto_period") => {
                let number = number(event, &["cp_number", "number"]).unwrap_or(0);
                self.channel.crypto_period = Some(CryptoPeriod {
                    number,
                    parity: parity(event).unwrap_or_else(|| parity_of(number)),
                    started_ms: self::number(event, &["started_unix_ms"]).unwrap_or_else(unix_ms),
                    duration_ms: duration_ms(event).unwrap_or(0),
                });
            }
            Some("ecm") => {
                if let Some(latency) = latency_us(event) {
                    self.ecm.add(now, latency);
                }
            }
            Some("ecm_late") => self.log.say(Level::Warn, role, "an ECM is late, the key stays"),
            Some("ecm_failed") => {
                let why = text(event, &["error"]).unwrap_or_default();
                self.log.say(Level::Warn, role, format!("no ECM: {why}"));
            }
            Some("emmg") if text(event, &["state"]).as_deref() == Some("connected") => {
                self.log.say(Level::Note, role, "the multiplexer takes the EMMs");
            }
            Some("emm_sent") => self.log.say(Level::Note, role, "new EMMs in the carousel"),
            _ => {}
        }
    }
}

/// One box: what the page shows of it and what that is concluded from.
#[derive(Debug)]
pub(crate) struct BoxRecord {
    pub(crate) state: BoxState,
    pub(crate) output: Arc<BoxOutput>,
    pub(crate) ecm: LatencyWindow,
    pub(crate) sold: Vec<String>,
    pub(crate) sold_at: BTreeMap<String, Instant>,
    pub(crate) took: BTreeMap<String, u64>,
    /// What the client said last about the right for what is on air.
    pub(crate) right: Option<Right>,
    pub(crate) last_picture: Option<Instant>,
    pub(crate) ended: Option<(Phase, String)>,
    counted: Option<(Instant, u64)>,
}

#[derive(Debug)]
pub(crate) struct Right {
    pub(crate) state: String,
    pub(crate) until_s: Option<u64>,
    pub(crate) reason: String,
}

impl BoxRecord {
    pub(crate) fn new(
        name: &str,
        vendor: &str,
        chip_id: Option<String>,
        output: Arc<BoxOutput>,
    ) -> Self {
        let state = BoxState {
            name: name.to_owned(),
            vendor: vendor.to_owned(),
            chip_id,
            reason: Some("Powered off.".to_owned()),
            ..BoxState::default()
        };
        Self {
            state,
            output,
            ecm: LatencyWindow::default(),
            sold: Vec::new(),
            sold_at: BTreeMap::new(),
            took: BTreeMap::new(),
            right: None,
            last_picture: None,
            ended: None,
            counted: None,
        }
    }

    pub(crate) fn started(&mut self, terminal_pid: Option<u32>, log: &mut Log) {
        self.forget_boot();
        self.output.restart();
        self.state.powered = true;
        self.state.terminal_pid = terminal_pid;
        log.say(Level::Note, &self.state.name, "power on");
    }

    pub(crate) fn switched_off(&mut self, log: &mut Log) {
        self.forget_boot();
        self.output.restart();
        self.state.powered = false;
        log.say(Level::Warn, &self.state.name, "power off");
    }

    pub(crate) fn failed(&mut self, why: &str, log: &mut Log) {
        self.last_picture = None;
        self.state.terminal_pid = None;
        self.state.chip_pid = None;
        if self.ended.is_none() {
            log.say(Level::Bad, &self.state.name, why);
            self.ended = Some((Phase::Failed, sentence(why)));
        }
        self.state.powered = false;
    }

    pub(crate) fn set_sold(&mut self, products: Vec<String>) {
        let now = Instant::now();
        self.sold_at.retain(|name, _| products.contains(name));
        self.took.retain(|name, _| products.contains(name));
        for product in &products {
            if !self.sold.contains(product) {
                self.sold_at.insert(product.clone(), now);
            }
        }
        self.sold = products;
    }

    pub(crate) fn saw_picture(&mut self, now: Instant) {
        if self.ended.is_none() {
            self.last_picture = Some(now);
        }
    }

    fn forget_boot(&mut self) {
        self.last_picture = None;
        self.ended = None;
        self.right = None;
        self.counted = None;
        self.state.boot.clear();
        self.state.client = None;
        self.state.descrambler = None;
        self.state.chip_pid = None;
        self.state.terminal_pid = None;
    }

    pub(crate) fn event(&mut self, event: &Value, now: Instant, log: &mut Log) {
        match text(event, &["event"]).as_deref() {
            Some("chip") => self.state.chip_pid = number32(event, &["pid"]),
            Some("boot_link") => self.boot_link(event, log),
            Some("terminal") => {
                if let Some(pid) = number32(event, &["pid"]) {
                    self.state.terminal_pid = Some(pid);
                }
            }
            Some("client") => self.client(event, log),
            Some("svm") => self.svm(event, log),
            Some("ecm") => {
                if let Some(latency) = latency_us(event) {
                    self.ecm.add(now, latency);
                }
            }
            Some("entitlement") => self.entitlement(event, log),
            // Global EMMs bring the time and come by all the while.
            Some("emm")
                if number(event, &["table_id"]) != Some(0x88)
                    && number(event, &["status"]) == Some(0) =>
            {
                log.say(Level::Note, &self.state.name, "EMM accepted");
            }
            Some("descrambler") => self.descrambler(event, now),
            Some("chip_gone") => {
                self.last_picture = None;
                self.state.chip_pid = None;
                self.state.powered = false;
                let why = "The chip is gone, and every key with it.";
                self.ended = Some((Phase::ChipGone, why.to_owned()));
                log.say(Level::Bad, &self.state.name, "the chip is gone");
            }
            _ => {}
        }
    }

    fn boot_link(&mut self, event: &Value, log: &mut Log) {
        let Some(name) = text(event, &["name", "link"]) else { return };
        let verdict = text(event, &["verdict"]).unwrap_or_default();
        let good = flag(event, "good")
            .unwrap_or_else(|| ["good", "accepted", "ok"].contains(&verdict.as_str()));
        // The certified keys stand for what checked them: BL_KEY1 for the ROM's work; the
        // platform key is the bootloader's business and shown only when it is bad.
        let (link, shown) = match name.as_str() {
            "bl-key1" | "rom" => ("rom", "chip ROM"),
            "platform-key" if good => return,
            "platform-key" => ("platform", "platform key"),
            other => (other, other),
        };
        let said = if good { "accepted" } else { "refused" };
        let level = if good { Level::Note } else { Level::Bad };
        let detail = (!good).then_some(verdict).filter(|verdict| !verdict.is_empty());
        let why = detail.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        log.say(level, &self.state.name, format!("{shown} {said}{why}"));
        let version = match event.get("version") {
            Some(Value::Number(version)) if version.as_u64() == Some(0) => String::new(),
            Some(Value::Number(version)) => version.to_string(),
            _ => text(event, &["version"]).unwrap_or_default(),
        };
        self.put_link(BootLink {
            link: link.to_owned(),
            verdict: said,
            signer: text(event, &["signer"]).unwrap_or_default(),
            hash: text(event, &["sha256", "hash"]).unwrap_or_default(),
            version,
            detail,
        });
    }

    fn put_link(&mut self, found: BootLink) {
        let boot = &mut self.state.boot;
        boot.retain(|known| known.link != found.link);
        if boot.len() < BOOT_LINKS_MAX {
            boot.push(found);
        }
    }

    fn client(&mut self, event: &Value, log: &mut Log) {
        // The client is the last link of the chain: the platform verified its signatures.
        let refused = text(event, &["state"]).as_deref() == Some("refused");
        if refused || event.get("sha256").is_some() {
            self.put_link(BootLink {
                link: "client".to_owned(),
                verdict: if refused { "refused" } else { "accepted" },
                signer: text(event, &["signer"]).unwrap_or_default(),
                hash: text(event, &["sha256"]).unwrap_or_default(),
                version: text_or_number(event, &["version"]).unwrap_or_default(),
                detail: text(event, &["reason"]).filter(|_| refused),
            });
        }
        let known = self.state.client.get_or_insert_with(|| Client {
            name: String::new(),
            vendor: String::new(),
            version: String::new(),
            state: "downloading".to_owned(),
            percent: None,
            svm_state: None,
            instructions: None,
        });
        for (field, keys) in [
            (&mut known.name, &["name"][..]),
            (&mut known.vendor, &["vendor"]),
            (&mut known.version, &["version"]),
        ] {
            if let Some(value) = text_or_number(event, keys) {
                *field = value;
            }
        }
        if let Some(percent) = number(event, &["percent"]) {
            known.percent = Some(u8::try_from(percent.min(100)).unwrap_or(100));
        }
        if let Some(instructions) = number(event, &["instructions"]) {
            known.instructions = Some(instructions);
        }
        if let Some(state) = text(event, &["state"])
            && state != known.state
        {
            let why = text(event, &["reason"]).map_or_else(String::new, |why| format!(": {why}"));
            let bad = ["stopped", "refused"].contains(&state.as_str());
            let level = if bad { Level::Bad } else { Level::Note };
            log.say(level, &self.state.name, format!("client {state}{why}"));
            known.state = state;
        }
    }

    fn svm(&mut self, event: &Value, log: &mut Log) {
        let Some(client) = &mut self.state.client else { return };
        if let Some(state) = text(event, &["state"]) {
            if ["violation", "stopped", "faulted"].contains(&state.as_str()) {
                client.state = "stopped".to_owned();
                let why = text(event, &["reason", "fault"]).unwrap_or_else(|| state.clone());
                log.say(Level::Bad, &self.state.name, format!("client stopped: {why}"));
            }
            client.svm_state = Some(state);
        }
        // Each event says what it spent.
        if let Some(spent) = number(event, &["instructions"]) {
            client.instructions = Some(client.instructions.unwrap_or(0).saturating_add(spent));
        }
    }

    fn entitlement(&mut self, event: &Value, log: &mut Log) {
        let state = text(event, &["state"]).unwrap_or_default();
        let reason = text(event, &["reason"]).unwrap_or_default();
        if self.right.as_ref().is_none_or(|right| right.state != state) {
            let level = if state == "entitled" { Level::Good } else { Level::Warn };
            let said = if reason.is_empty() { state.replace('_', " ") } else { reason.clone() };
            log.say(level, &self.state.name, format!("client says: {said}"));
        }
        self.right = Some(Right { state, until_s: number(event, &["until"]), reason });
    }

    fn descrambler(&mut self, event: &Value, now: Instant) {
        let descrambled = number(event, &["descrambled"]).unwrap_or(0);
        let per_s = self.counted.map_or(0, |(at, before)| {
            let millis = u64::try_from(now.duration_since(at).as_millis()).unwrap_or(u64::MAX);
            descrambled.saturating_sub(before).saturating_mul(1000) / millis.max(1)
        });
        self.counted = Some((now, descrambled));
        self.state.descrambler = Some(Descrambler {
            descrambled,
            left_scrambled: number(event, &["left_scrambled"]).unwrap_or(0),
            packets_per_s: per_s,
            parity: parity(event),
        });
    }
}
