//! The boxes: made, booted, switched off, sold to.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::process::ExitStatusExt;

use portcullis_console::ControlRefused;
use portcullis_console::state::Level;
use portcullis_headend::store::{Operator, Repository, Terminal};
use serde_json::json;

use super::super::child::{self, Exit, Running, Who};
use super::super::orders::Order;
use super::roles::words;
use super::{FIRST_BOX, Helper, Record, Supervisor};
use crate::cli::{Failure, Outcome};

/// One box.
#[derive(Debug)]
pub(super) struct BoxSlot {
    pub(super) running: Option<Running>,
    /// Switched on by a person; a box that dies is booted again only then.
    wanted: bool,
    record: Record,
}

impl Supervisor {
    /// Begins to make the first box when there is none.
    pub(super) fn first_box(&self) -> Result<Option<Helper>, Failure> {
        if self.store()?.terminals()?.is_empty() {
            return Ok(Some(self.spawn_command("box add", [FIRST_BOX])?));
        }
        Ok(None)
    }

    /// Shows a box that the operator's store has.
    pub(super) fn know_box(&mut self, terminal: &Terminal) -> Outcome {
        let systems = self.data.ca_systems()?;
        let vendor = systems
            .iter()
            .find(|system| system.description.ca_system_id == terminal.preferred_ca_system)
            .map_or("", |system| system.vendor.as_str());
        let chip = format!("{:016x}", terminal.chip_id.0);
        if self.console.add_box(&terminal.name, vendor, Some(chip)).is_none() {
            self.console.say(Level::Warn, &terminal.name, "too many boxes for this page");
            return Ok(());
        }
        let slot = BoxSlot { running: None, wanted: false, record: Record::default() };
        self.boxes.entry(terminal.name.clone()).or_insert(slot);
        self.show_sold(&self.store()?, &terminal.name)
    }

    /// Boots a box that is not running.
    pub(super) fn power_on(&mut self, name: &str) -> Outcome {
        let running = self.boxes.get(name).is_none_or(|slot| slot.running.is_some());
        let (Some(programme), Some(centre), false) = (&self.programme, &self.centre, running)
        else {
            return Ok(());
        };
        let outlet = free_port()?;
        let (input, service) = (format!("udp://{outlet}"), programme.service.to_string());
        let args = ["--box", name, "--input", &input, "--output", "-", "--service", &service];
        let more = ["--centre", centre, "--events", "--drop-scrambled"];
        let args = self.child_args("terminal", args.iter().chain(&more).map(OsStr::new));
        let who = Who::Terminal(name.to_owned());
        // Before the start, so that not even its first event finds the box switched off.
        self.console.box_started(name, None);
        let program = &self.settings.program;
        let running = child::start(program, &args, who, &self.console, &self.mailbox, None)
            .map_err(|e| Failure::new(format!("box {name}: {e}")))?;
        self.splitter.plug(name, outlet);
        if let Some(slot) = self.boxes.get_mut(name) {
            slot.running = Some(running);
            slot.wanted = true;
            slot.record.start();
        }
        Ok(())
    }

    fn power_off(&mut self, name: &str) {
        self.splitter.unplug(name);
        if let Some(slot) = self.boxes.get_mut(name) {
            slot.wanted = false;
            // Dropping it asks the process to end.
            slot.running = None;
        }
        self.console.box_off(name);
    }

    pub(super) fn terminal_ended(&mut self, name: &str, exit: &Exit) {
        let Some(slot) = self.boxes.get_mut(name) else { return };
        // A box that was switched off, and maybe on again meanwhile.
        if slot.running.as_ref().is_none_or(|running| running.pid != exit.pid) {
            return;
        }
        slot.running = None;
        self.splitter.unplug(name);
        if exit.last.chip_gone || exit.status.is_some_and(was_killed) {
            // The chip was ended, and every key with it: that is for a person to mend.
            slot.wanted = false;
            self.console.box_event(name, &json!({ "event": "chip_gone" }));
            return;
        }
        let pause = slot.record.died();
        self.console.box_failed(name, &words(exit));
        if !self.restart_later(Who::Terminal(name.to_owned()), pause)
            && let Some(slot) = self.boxes.get_mut(name)
        {
            slot.wanted = false;
        }
    }

    pub(super) fn restart_box(&mut self, name: &str) -> Outcome {
        if self.boxes.get(name).is_some_and(|slot| slot.wanted) {
            return self.power_on(name);
        }
        Ok(())
    }

    pub(super) async fn order(&mut self, order: Order) -> Result<(), ControlRefused> {
        match order {
            Order::AddBox { name, vendor } => {
                self.check_vendor(&vendor)?;
                check_name(&name)?;
                let made = self.command("box add", [name.as_str(), "--vendor", &vendor]).await;
                made.map_err(|failure| ControlRefused::Wrong(failure.line))?;
                let terminal = self.store().and_then(|store| Ok(store.terminal(&name)?));
                self.know_box(&terminal.map_err(failed)?).map_err(failed)?;
                self.console.say(Level::Note, &name, "chip made, images signed");
                self.power_on(&name).map_err(failed)
            }
            Order::Entitle { name, product } => self.sell("entitle", &name, &product).await,
            Order::Unentitle { name, product } => self.sell("unentitle", &name, &product).await,
            Order::Power { name, on } => {
                self.check_box(&name)?;
                if on {
                    if let Some(slot) = self.boxes.get_mut(&name) {
                        slot.record = Record::default();
                    }
                    self.power_on(&name).map_err(failed)
                } else {
                    self.power_off(&name);
                    Ok(())
                }
            }
        }
    }

    async fn sell(&mut self, what: &str, name: &str, product: &str) -> Result<(), ControlRefused> {
        self.check_box(name)?;
        let known = self.store().and_then(|store| Ok(store.products()?)).map_err(failed)?;
        if !known.iter().any(|each| each.name == product) {
            return Err(ControlRefused::Unknown(format!("there is no product {product}")));
        }
        self.command(what, ["--box", name, "--product", product]).await.map_err(failed)?;
        let said = if what == "entitle" { "sold" } else { "cancelled" };
        self.console.say(Level::Note, name, format!("{product} {said}"));
        self.store().and_then(|store| self.show_sold(&store, name)).map_err(failed)
    }

    fn show_sold(&self, store: &Operator, name: &str) -> Outcome {
        let terminal = store.terminal(name)?;
        let products = store.products()?;
        let sold = store.entitlements(&terminal)?.into_iter().filter_map(|right| {
            products.iter().find(|p| p.id == right.product).map(|p| p.name.clone())
        });
        self.console.set_sold(name, sold.collect());
        Ok(())
    }

    fn check_box(&self, name: &str) -> Result<(), ControlRefused> {
        if self.boxes.contains_key(name) {
            return Ok(());
        }
        Err(ControlRefused::Unknown(format!("there is no box {name}")))
    }

    fn check_vendor(&self, vendor: &str) -> Result<(), ControlRefused> {
        let systems = self.data.ca_systems().map_err(|error| failed(error.into()))?;
        if systems.iter().any(|system| system.vendor == vendor) {
            return Ok(());
        }
        Err(ControlRefused::Unknown(format!("there is no CA vendor {vendor}")))
    }
}

/// A name from the page must not look like an option; `box add` checks the rest.
fn check_name(name: &str) -> Result<(), ControlRefused> {
    if name.starts_with('-') || name.is_empty() {
        return Err(ControlRefused::Wrong("a box needs a name".to_owned()));
    }
    Ok(())
}

fn failed(failure: Failure) -> ControlRefused {
    ControlRefused::Failed(failure.line)
}

/// The launcher was ended by a signal, or found that its chip was.
fn was_killed(status: std::process::ExitStatus) -> bool {
    const KILLED: i32 = 128 + 9;
    status.signal().is_some() || status.code() == Some(KILLED)
}

/// A UDP port that nobody has now.
fn free_port() -> Result<SocketAddr, Failure> {
    Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
