//! The roles that every box needs: ECM generator, headend, EMM generator, download centre.

use std::ffi::{OsStr, OsString};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use portcullis_console::state::Level;
use portcullis_headend::store::Repository;
use tokio::sync::mpsc;

use super::super::air::Splitter;
use super::super::child::{self, Exit, Running, Who};
use super::super::input::Programme;
use super::{Record, Supervisor};
use crate::cli::{Failure, Outcome};

/// How long a role may take until it is ready.
const READY_TIME: Duration = Duration::from_secs(20);
const ANY_PORT: &str = "127.0.0.1:0";

/// One role and how to start it again.
#[derive(Debug)]
pub(super) struct RoleSlot {
    args: Vec<OsString>,
    pub(super) running: Option<Running>,
    record: Record,
}

impl Supervisor {
    pub(super) async fn start_roles(&mut self, programme: &Programme) -> Outcome {
        let systems = self.data.ca_systems()?.len().max(1);
        let mut ecmg = self.start_role("ecmg", &["--listen", ANY_PORT, "--events"])?;
        let mut centre = self.start_role("centre", &["--listen", ANY_PORT, "--events"])?;
        let (socket, air) = Splitter::bind().await?;
        tokio::spawn(self.splitter.clone().run(socket, self.console.clone()));

        let product =
            self.store()?.products()?.first().map_or_else(String::new, |p| p.name.clone());
        let criteria = self.command("criteria", ["--product", &product]).await?;
        let criteria = criteria.trim();
        let mut generators = Vec::new();
        let mut ecmg_address = String::new();
        for _ in 0..systems {
            // ADDR:PORT super_cas_id=0x........
            let line = ready("ecmg", &mut ecmg).await?;
            let (address, system) = line
                .split_once(' ')
                .ok_or_else(|| Failure::new(format!("ecmg: ready without a system: {line}")))?;
            address.clone_into(&mut ecmg_address);
            generators.push(format!("{address},{system},ac={criteria}"));
        }
        self.fix_address("ecmg", &ecmg_address);

        let emm = free_port()?.to_string();
        let (input, output) = (programme.path.display().to_string(), format!("udp://{air}"));
        let service = programme.service.to_string();
        let period = self.settings.crypto_period.clone();
        let mut args = vec!["--input", &input, "--output", &output, "--service", &service];
        args.extend(["--product", &product, "--mode", self.settings.mode.name()]);
        args.extend(["--crypto-period", &period, "--emm-listen", &emm, "--loop", "--events"]);
        for generator in &generators {
            args.extend(["--ecmg", generator]);
        }
        let mut headend = self.start_role("headend", &args)?;
        ready("headend", &mut headend).await?;
        let said = format!(
            "{} on air, {}, a new key every {period} s, {} CA systems",
            programme.name,
            self.settings.mode,
            generators.len()
        );
        self.progress.say("headend", &said);
        self.console.say(Level::Note, "headend", said);
        // It dials until the multiplexer is there.
        let _ = self.start_role("emmg", &["--mux", &emm, "--events"])?;
        let address = ready("centre", &mut centre).await?;
        self.fix_address("centre", &address);
        self.centre = Some(address);
        Ok(())
    }

    fn start_role(
        &mut self,
        role: &'static str,
        args: &[&str],
    ) -> Result<mpsc::Receiver<String>, Failure> {
        let args = self.child_args(role, args.iter().map(OsStr::new));
        let slot = RoleSlot { args, running: None, record: Record::default() };
        self.roles.insert(role, slot);
        let (tell, ready) = mpsc::channel(8);
        self.launch_role(role, Some(tell))?;
        Ok(ready)
    }

    fn launch_role(&mut self, role: &'static str, ready: Option<mpsc::Sender<String>>) -> Outcome {
        let Some(slot) = self.roles.get_mut(role) else { return Ok(()) };
        let program = &self.settings.program;
        let who = Who::Role(role);
        let running = child::start(program, &slot.args, who, &self.console, &self.mailbox, ready)
            .map_err(|e| Failure::new(format!("{role}: {e}")))?;
        slot.record.start();
        self.console.set_process(role, Some(running.pid), slot.record.restarts);
        slot.running = Some(running);
        Ok(())
    }

    /// A role that is started again listens where it did before: the others know it there.
    fn fix_address(&mut self, role: &str, address: &str) {
        let Some(slot) = self.roles.get_mut(role) else { return };
        for arg in &mut slot.args {
            if arg == ANY_PORT {
                *arg = address.into();
            }
        }
    }

    pub(super) fn role_ended(&mut self, role: &'static str, exit: &Exit) {
        let Some(slot) = self.roles.get_mut(role) else { return };
        slot.running = None;
        let pause = slot.record.died();
        self.console.set_process(role, None, slot.record.restarts);
        self.console.say(Level::Bad, role, format!("ended: {}", words(exit)));
        let _ = self.restart_later(Who::Role(role), pause);
    }

    pub(super) fn restart_role(&mut self, role: &'static str) -> Outcome {
        self.launch_role(role, None)?;
        self.console.say(Level::Note, role, "started again");
        Ok(())
    }
}

/// How a child ended, in its own words if it had any.
pub(super) fn words(exit: &Exit) -> String {
    if !exit.last.line.is_empty() {
        let said = exit.last.line.as_str();
        return said.strip_prefix("portcullis: ").unwrap_or(said).to_owned();
    }
    exit.status.map_or_else(|| "unknown how".to_owned(), |status| status.to_string())
}

async fn ready(role: &str, lines: &mut mpsc::Receiver<String>) -> Result<String, Failure> {
    tokio::time::timeout(READY_TIME, lines.recv())
        .await
        .map_err(|_| Failure::new(format!("{role}: not ready after {READY_TIME:?}")))?
        // Its own line on stderr, passed on, says why.
        .ok_or_else(|| Failure::new(format!("{role}: ended before it was ready")))
}

/// A TCP port that nobody has now.
fn free_port() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
