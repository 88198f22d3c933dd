//! `portcullis scramble` and `portcullis descramble`: fixed control words, for test streams and
//! vectors.
//!
//! A file is worked on where it was read; what comes packet by packet is collected for batches.
//! Packets keep their order, and nothing is read while the output does not take what there is.

use std::time::{Duration, Instant};

use portcullis_headend::batches::Batches;
use portcullis_headend::input::{Arrived, Input};
use portcullis_headend::location::Location;
use portcullis_headend::output::Output;
use portcullis_scramble::{
    BatchKeys, Cipher, DescrambledCount, FULL_BATCH, KeySlots, Mark, Scheduler,
};
use portcullis_ts::psi::{Pat, SectionAssembler, TableAssembler};
use portcullis_ts::{Packet, RawPacket};
use portcullis_types::{Parity, Pid, ScramblingMode, parse_u32};
use serde_json::json;

use self::mode::Mode;
use super::headend::parse_deadline;
use crate::cli::{Failure, Outcome};

mod mode;
mod mp4;

/// Packets that are held back at most until the PAT says which PIDs are PMTs.
const HELD_MAX: usize = 20_000;
/// How long nothing may come before the output is flushed.
const SILENCE: Duration = Duration::from_millis(200);

/// Arguments of `portcullis scramble` and `portcullis descramble`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Of packets: csa2, csa2-full, cissa, idsa, aes-cbc or aes-ctr. Of MP4 files, to descramble
    /// only: cenc, cens, cbc1 or cbcs.
    #[arg(long)]
    mode: Mode,
    /// Control word in hex: even, or even and odd with a comma between them. Of MP4 files: the key,
    /// or KID:KEY for each track's key, with commas between them.
    #[arg(long, value_name = "HEX[,HEX]")]
    cw: String,
    /// A file, -, udp://HOST:PORT or rtp://HOST:PORT.
    #[arg(long)]
    input: Location,
    /// A file, -, udp://HOST:PORT or rtp://HOST:PORT.
    #[arg(long)]
    output: Location,
    /// Only this PID; may be given several times.
    #[arg(long = "pid", value_parser = parse_pid)]
    pids: Vec<Pid>,
    /// Which of two control words scrambles.
    #[arg(long, value_enum, default_value = "even")]
    parity: ParityArgument,
    /// CSA2 with all 64 bits of the control word.
    #[arg(long)]
    no_entropy_reduction: bool,
    /// A packet of a socket or pipe waits at most so long for its batch to fill; 0 to 1000.
    #[arg(long, value_name = "MS", default_value = "10", value_parser = parse_deadline)]
    batch_deadline_ms: Duration,
    /// One JSON object on standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum ParityArgument {
    Even,
    Odd,
}

impl From<ParityArgument> for Parity {
    fn from(argument: ParityArgument) -> Self {
        match argument {
            ParityArgument::Even => Self::Even,
            ParityArgument::Odd => Self::Odd,
        }
    }
}

pub(crate) fn scramble(args: Args) -> Outcome {
    let Mode::Packets(mode) = args.mode else {
        return Err(Failure::usage("--mode: MP4 files can be descrambled only"));
    };
    let keys = keys(&args, mode)?;
    let parity = Parity::from(args.parity);
    let cipher = keys.get(parity).ok_or_else(|| Failure::usage("--cw: no control word"))?;
    let mut scrambled = 0;
    let scheduler = Scheduler::scrambler(FULL_BATCH).with_deadline(args.batch_deadline_ms);
    let done = run(&args, scheduler, |packet, keys, chosen| {
        if chosen.holds(packet.pid())
            && packet.tsc().is_clear()
            && packet.payload_offset().is_some()
        {
            scrambled += 1;
            keys.mark(cipher, parity)
        } else {
            Mark::PASS
        }
    })?;
    let packets = done.packets;
    let summary = json!({"packets": packets, "scrambled": scrambled, "batches": done.batches});
    report(&args, &summary, || {
        format!("{scrambled} of {packets} packets scrambled ({})", cipher.mode())
    });
    Ok(())
}

pub(crate) fn descramble(args: Args) -> Outcome {
    let mode = match args.mode {
        Mode::Packets(mode) => mode,
        Mode::Samples(scheme) => return mp4::descramble(&args, scheme),
    };
    let slots = keys(&args, mode)?;
    let mut count = DescrambledCount::default();
    let scheduler = Scheduler::descrambler(FULL_BATCH).with_deadline(args.batch_deadline_ms);
    let done = run(&args, scheduler, |packet, keys, chosen| {
        if !packet.tsc().is_clear() && chosen.holds(packet.pid()) {
            slots.mark(packet, keys, &mut count)
        } else {
            Mark::PASS
        }
    })?;
    let packets = done.packets;
    let DescrambledCount { descrambled, left_scrambled: left } = count;
    let summary = json!({
        "packets": packets,
        "descrambled": descrambled,
        "left_scrambled": left,
        "batches": done.batches,
    });
    report(&args, &summary, || {
        format!("{descrambled} of {packets} packets descrambled, {left} left scrambled")
    });
    Ok(())
}

fn parse_pid(text: &str) -> Result<Pid, String> {
    let number = parse_u32(text).map_err(|error| error.to_string())?;
    u16::try_from(number).ok().and_then(Pid::new).ok_or_else(|| "a PID has 13 bits".to_owned())
}

/// The keys of `--cw`; one control word alone serves both parities.
fn keys(args: &Args, mode: ScramblingMode) -> Result<KeySlots, Failure> {
    let mode = match (mode, args.no_entropy_reduction) {
        (ScramblingMode::Csa2, true) => ScramblingMode::Csa2Full,
        (mode, _) => mode,
    };
    let mut slots = KeySlots::new();
    let mut words = args.cw.split(',');
    let (even, odd) = (words.next().unwrap_or_default(), words.next());
    if words.next().is_some() {
        return Err(Failure::usage("--cw: more than two control words"));
    }
    for (parity, word) in [(Parity::Even, even), (Parity::Odd, odd.unwrap_or(even))] {
        let mut octets = [0; 32];
        let cipher = portcullis_types::decode_hex(word, &mut octets)
            .map_err(|error| error.to_string())
            .and_then(|length| {
                Cipher::new(mode, octets.get(..length).unwrap_or_default())
                    .map_err(|error| error.to_string())
            })
            .map_err(|error| Failure::usage(format!("--cw: {error}")))?;
        slots.set(parity, cipher);
    }
    Ok(slots)
}

/// What was done.
struct Done {
    packets: usize,
    batches: Batches,
}

/// Pumps the input through the scheduler into the output; `mark` says what to do with a packet.
fn run(
    args: &Args,
    scheduler: Scheduler,
    mark: impl FnMut(Packet<'_>, &mut BatchKeys, &Choice) -> Mark,
) -> Result<Done, Failure> {
    let mut input = Input::open(&args.input)?;
    let mut pump = Pump {
        output: Output::open(&args.output)?,
        choice: Choice::new(&args.pids),
        held: Vec::new(),
        scheduler,
        mark,
        begun: Instant::now(),
    };
    let at_hand = input.is_at_hand();
    let mut packets = 0;
    loop {
        match input.read_within(pump.wait())? {
            Arrived::Packets(arrived) => {
                packets += arrived.len();
                pump.take(arrived, at_hand)?;
            }
            Arrived::Silence if pump.scheduler.is_empty() => pump.output.flush()?,
            Arrived::Silence => {}
            Arrived::End => break,
        }
        pump.send_due()?;
    }
    let batches = pump.finish()?;
    Ok(Done { packets, batches })
}

struct Pump<M> {
    output: Output,
    choice: Choice,
    /// Packets that came before the PAT.
    held: Vec<RawPacket>,
    scheduler: Scheduler,
    mark: M,
    begun: Instant,
}

impl<M: FnMut(Packet<'_>, &mut BatchKeys, &Choice) -> Mark> Pump<M> {
    /// How long the batch that fills may wait for packets.
    fn wait(&self) -> Duration {
        let due = self.scheduler.poll_timeout();
        due.map_or(SILENCE, |due| due.saturating_sub(self.begun.elapsed()))
    }

    fn take(&mut self, packets: &mut [RawPacket], at_hand: bool) -> Outcome {
        self.choice.learn(packets);
        if self.choice.undecided() && self.held.len() < HELD_MAX {
            self.held.extend_from_slice(packets);
            return Ok(());
        }
        self.let_held_go()?;
        if at_hand { self.work(packets) } else { self.collect(packets) }
    }

    fn let_held_go(&mut self) -> Outcome {
        let mut held = std::mem::take(&mut self.held);
        self.work(&mut held)
    }

    /// Packets that are all there.
    fn work(&mut self, packets: &mut [RawPacket]) -> Outcome {
        let (mark, choice) = (&mut self.mark, &self.choice);
        self.scheduler.work(packets, |packet, keys| mark(packet, keys, choice));
        Ok(self.output.write(packets)?)
    }

    fn collect(&mut self, packets: &[RawPacket]) -> Outcome {
        let now = self.begun.elapsed();
        for packet in packets {
            // Ends: a scheduler whose batch has been taken has room.
            loop {
                let (mark, choice) = (&mut self.mark, &self.choice);
                let marked = self
                    .scheduler
                    .push_marked(packet, now, |packet, keys| mark(packet, keys, choice));
                if marked.is_ok() {
                    break;
                }
                self.output.write(self.scheduler.take(now))?;
            }
        }
        Ok(())
    }

    fn send_due(&mut self) -> Outcome {
        if let Some(packets) = self.scheduler.take_due(self.begun.elapsed()) {
            self.output.write(packets)?;
            self.output.flush()?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Batches, Failure> {
        self.let_held_go()?;
        self.output.write(self.scheduler.take(self.begun.elapsed()))?;
        self.output.finish()?;
        Ok(self.scheduler.stats().into())
    }
}

fn report(args: &Args, summary: &serde_json::Value, line: impl FnOnce() -> String) {
    // Standard output may be the stream itself.
    match (args.json, &args.output) {
        (true, Location::Standard) => eprintln!("{summary}"),
        (true, _) => println!("{summary}"),
        (false, _) => eprintln!("{}", line()),
    }
}

/// Which PIDs are worked on.
struct Choice {
    /// One place per PID.
    chosen: Box<[bool; PIDS]>,
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
    fn new(pids: &[Pid]) -> Self {
        let by_table = pids.is_empty();
        let mut choice = Self {
            chosen: Box::new([by_table; PIDS]),
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

    const fn undecided(&self) -> bool {
        !self.decided
    }

    fn learn(&mut self, packets: &[RawPacket]) {
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

    fn set(&mut self, pid: usize, chosen: bool) {
        if let Some(place) = self.chosen.get_mut(pid) {
            *place = chosen;
        }
    }

    #[inline]
    fn holds(&self, pid: Pid) -> bool {
        self.chosen.get(usize::from(pid.get())).is_some_and(|chosen| *chosen)
    }
}
