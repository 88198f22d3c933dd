//! Starts the roles and the boxes in order, restarts what dies, carries out the page's orders.
//!
//! Everything here happens on one task on the main thread, one thing after the other.

mod boxes;
mod roles;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use portcullis_console::Console;
use portcullis_console::state::{CaSystem, Level, Product};
use portcullis_headend::layout::DataDir;
use portcullis_headend::store::{Operator, Repository};
use portcullis_types::{ProductId, ScramblingMode};
use tokio::sync::mpsc;

use self::boxes::BoxSlot;
use self::roles::RoleSlot;
use super::Progress;
use super::air::Splitter;
use super::child::{self, Exit, Running, Who};
use super::input::Programme;
use super::orders::{Order, Reply};
use crate::cli::{Failure, Outcome};

/// The box of a new data directory, and what it is entitled to.
const FIRST_BOX: &str = "living-room";
const FIRST_PRODUCT: &str = "one";
/// A helper command may take so long.
const COMMAND_TIME: Duration = Duration::from_secs(60);
/// All children of one step may take so long to end: their own grace and a little more.
const END_TIME: Duration = Duration::from_secs(5);
/// A child that ran so long starts with a clean record.
const PROVED: Duration = Duration::from_secs(60);
/// A child that dies so often in a row is left alone.
const RESTARTS_MAX: u32 = 8;
const RESTART_FIRST: Duration = Duration::from_millis(200);
const RESTART_LAST: Duration = Duration::from_secs(10);

/// What the supervisor goes by.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) program: PathBuf,
    pub(super) data: PathBuf,
    pub(super) passphrase_file: Option<PathBuf>,
    pub(super) mode: ScramblingMode,
    pub(super) crypto_period: String,
}

/// What comes to the supervisor.
pub(super) enum Mail {
    /// A person wants something.
    Order(Order, Reply),
    /// A child ended.
    Exit(Exit),
    /// The pause before a restart is over.
    Restart(Who),
}

pub(super) struct Supervisor {
    settings: Settings,
    data: DataDir,
    console: Console,
    progress: Progress,
    mailbox: mpsc::Sender<Mail>,
    post: mpsc::Receiver<Mail>,
    splitter: Splitter,
    programme: Option<Programme>,
    centre: Option<String>,
    roles: BTreeMap<&'static str, RoleSlot>,
    boxes: BTreeMap<String, BoxSlot>,
}

/// How a child has done so far.
#[derive(Debug, Default)]
struct Record {
    started: Option<Instant>,
    deaths_in_a_row: u32,
    restarts: u32,
}

impl Record {
    fn start(&mut self) {
        self.started = Some(Instant::now());
    }

    /// The pause before the next start, or `None` when there shall be none.
    fn died(&mut self) -> Option<Duration> {
        if self.started.is_some_and(|at| at.elapsed() >= PROVED) {
            self.deaths_in_a_row = 0;
        }
        self.deaths_in_a_row += 1;
        self.restarts += 1;
        let doubled = 2_u32.saturating_pow(self.deaths_in_a_row - 1);
        (self.deaths_in_a_row <= RESTARTS_MAX)
            .then(|| RESTART_FIRST.saturating_mul(doubled).min(RESTART_LAST))
    }
}

impl Supervisor {
    pub(super) fn new(
        settings: Settings,
        console: Console,
        progress: Progress,
        mailbox: mpsc::Sender<Mail>,
        post: mpsc::Receiver<Mail>,
    ) -> Self {
        let data = DataDir::new(&settings.data);
        Self {
            settings,
            data,
            console,
            progress,
            mailbox,
            post,
            splitter: Splitter::default(),
            programme: None,
            centre: None,
            roles: BTreeMap::new(),
            boxes: BTreeMap::new(),
        }
    }

    /// Makes the data directory when there is none.
    pub(super) async fn prepare(&mut self) -> Outcome {
        if self.data.root().symlink_metadata().is_err() {
            self.command("init", []).await?;
            let said =
                format!("authority, SDMP, vendors and operator in {}", self.data.root().display());
            self.progress.say("init", &said);
            self.console.say(Level::Note, "init", "made all parties and their keys");
        }
        Ok(())
    }

    /// Brings everything up.
    pub(super) async fn start(&mut self, programme: Programme) -> Outcome {
        self.console.set_channel(&programme.name, programme.service, self.settings.mode);
        self.offer(&programme)?;
        // The box's keys are made while the roles come up.
        let first_box = self.first_box()?;
        self.start_roles(&programme).await?;
        self.programme = Some(programme);
        if let Some(adding) = first_box {
            adding.finish("box add").await?;
            self.command("entitle", ["--box", FIRST_BOX, "--product", FIRST_PRODUCT]).await?;
            self.progress.say("box", &format!("{FIRST_BOX} made and entitled to {FIRST_PRODUCT}"));
        }
        for terminal in self.store()?.terminals()? {
            if !terminal.revoked {
                self.know_box(&terminal)?;
                self.power_on(&terminal.name)?;
            }
        }
        Ok(())
    }

    /// Works until something goes wrong that cannot be put right.
    pub(super) async fn run(&mut self) -> Outcome {
        while let Some(mail) = self.post.recv().await {
            match mail {
                Mail::Order(order, reply) => {
                    let outcome = self.order(order).await;
                    // A person who left is no fault.
                    let _ = reply.send(outcome);
                }
                Mail::Exit(exit) => match exit.who.clone() {
                    Who::Role(role) => self.role_ended(role, &exit),
                    Who::Terminal(name) => self.terminal_ended(&name, &exit),
                },
                Mail::Restart(Who::Role(role)) => self.restart_role(role)?,
                Mail::Restart(Who::Terminal(name)) => self.restart_box(&name)?,
            }
        }
        Ok(())
    }

    /// Ends all children: first those that others do not need, so that nobody is missed.
    pub(super) async fn end(&mut self) {
        let boxes = self.boxes.values_mut().filter_map(|slot| slot.running.take());
        let mut first: Vec<_> = boxes.collect();
        first.extend(self.take_roles(&["emmg"]));
        self.ended(first).await;
        let headend = self.take_roles(&["headend"]);
        self.ended(headend).await;
        let rest = self.take_roles(&["ecmg", "centre"]);
        self.ended(rest).await;
    }

    fn take_roles(&mut self, names: &[&str]) -> Vec<Running> {
        let slots = self.roles.iter_mut().filter(|(role, _)| names.contains(*role));
        slots.filter_map(|(_, slot)| slot.running.take()).collect()
    }

    /// Asks these children to end, by dropping them, and waits until they have.
    async fn ended(&mut self, children: Vec<Running>) {
        let mut left: BTreeSet<u32> = children.iter().map(|child| child.pid).collect();
        drop(children);
        let all = async {
            while !left.is_empty() {
                match self.post.recv().await {
                    Some(Mail::Exit(exit)) => {
                        left.remove(&exit.pid);
                    }
                    Some(_) => {}
                    None => break,
                }
            }
        };
        // One that had ended just before was reported already; its task is gone then too.
        let _ = tokio::time::timeout(END_TIME, all).await;
    }

    fn offer(&self, programme: &Programme) -> Outcome {
        let products = self.store()?.products()?;
        let guard = products.first().map_or(ProductId(0), |product| product.id);
        let shown = products.iter().map(|product| {
            let mut services: Vec<u16> = product.services.iter().map(|s| s.0).collect();
            // The first product guards what is on air, whatever its service id is there.
            let opens = product.id == guard || product.members.contains(&guard);
            if opens && !services.contains(&programme.service) {
                services.push(programme.service);
            }
            Product { name: product.name.clone(), services }
        });
        let systems = self.data.ca_systems()?.into_iter().map(|system| CaSystem {
            vendor: system.vendor,
            ca_system_id: system.description.ca_system_id.0,
            super_cas_id: system.description.super_cas_id.0,
        });
        self.console.set_offer(shown.collect(), systems.collect());
        Ok(())
    }

    fn store(&self) -> Result<Operator, Failure> {
        Ok(Operator::open(&self.data.operator_db())?)
    }

    /// Comes back to this child after a pause, or gives it up.
    fn restart_later(&self, who: Who, pause: Option<Duration>) -> bool {
        let Some(pause) = pause else {
            self.console.say(Level::Bad, who.name(), "ends again and again; left alone");
            return false;
        };
        let mailbox = self.mailbox.clone();
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            let _ = mailbox.send(Mail::Restart(who)).await;
        });
        true
    }

    /// Runs a subcommand to its end; gives its standard output.
    async fn command<'a>(
        &self,
        name: &str,
        args: impl IntoIterator<Item = &'a str>,
    ) -> Result<String, Failure> {
        self.spawn_command(name, args)?.finish(name).await
    }

    fn spawn_command<'a>(
        &self,
        name: &str,
        args: impl IntoIterator<Item = &'a str>,
    ) -> Result<Helper, Failure> {
        let mut command = child::command(&self.settings.program);
        command.args(name.split(' ')).args(args).args(self.common_args(name));
        let child = command.spawn().map_err(|e| Failure::new(format!("{name}: {e}")))?;
        Ok(Helper(child))
    }

    /// `--data`, and the passphrase for those that open private files.
    fn common_args(&self, name: &str) -> Vec<OsString> {
        let mut args = vec!["--data".into(), self.settings.data.clone().into_os_string()];
        let opens_keys = !["entitle", "unentitle", "criteria"].contains(&name);
        if let (true, Some(file)) = (opens_keys, &self.settings.passphrase_file) {
            args.extend(["--passphrase-file".into(), file.clone().into_os_string()]);
        }
        args
    }

    fn child_args<'a>(
        &self,
        name: &str,
        args: impl IntoIterator<Item = &'a OsStr>,
    ) -> Vec<OsString> {
        let mut all = vec![OsString::from(name)];
        all.extend(args.into_iter().map(OsStr::to_owned));
        all.extend(self.common_args(name));
        all
    }
}

/// A subcommand under way.
struct Helper(tokio::process::Child);

impl Helper {
    /// Its standard output, or its one line of error.
    async fn finish(self, name: &str) -> Result<String, Failure> {
        let output = tokio::time::timeout(COMMAND_TIME, self.0.wait_with_output())
            .await
            .map_err(|_| Failure::new(format!("{name}: not done after {COMMAND_TIME:?}")))??;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said.lines().rfind(|line| !line.is_empty()).unwrap_or("no message");
        Err(Failure::new(line.strip_prefix("portcullis: ").unwrap_or(line)))
    }
}
