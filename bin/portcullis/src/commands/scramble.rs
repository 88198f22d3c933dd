//! `portcullis scramble` and `portcullis descramble`: fixed control words, for test streams and
//! vectors.
//!
//! A file is worked on where it was read, by several threads (see `workers`); what comes packet by
//! packet is collected for batches. Packets keep their order, and nothing is read while the output
//! does not take what there is.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use portcullis_headend::batches::Batches;
use portcullis_headend::input::{Arrived, Input};
use portcullis_headend::location::Location;
use portcullis_headend::output::Output;
use portcullis_scramble::{
    BatchKeys, Cipher, DescrambledCount, FULL_BATCH, KeySlots, Mark, Scheduler,
};
use portcullis_ts::{Packet, RawPacket};
use portcullis_types::{Parity, Pid, ScramblingMode, parse_u32};
use serde_json::json;

use self::choice::{Choice, Chosen};
use self::mode::Mode;
use self::workers::{Rest, Shared, parse_threads};
use super::headend::parse_deadline;
use crate::cli::{Failure, Outcome};

mod choice;
mod mode;
mod mp4;
mod workers;

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
    /// Threads that work on a file; 1 to 64. Without it, as many as the processor runs at once, 8 at
    /// most.
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    threads: Option<NonZeroUsize>,
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
    let done = run(&args, Scheduler::scrambler, |packet, keys, chosen, count| {
        if chosen.holds(packet.pid())
            && packet.tsc().is_clear()
            && packet.payload_offset().is_some()
        {
            count.worked += 1;
            keys.mark(cipher, parity)
        } else {
            Mark::PASS
        }
    })?;
    let Done { packets, count: Count { worked: scrambled, .. }, .. } = done;
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
    let done = run(&args, Scheduler::descrambler, |packet, keys, chosen, count| {
        if packet.tsc().is_clear() || !chosen.holds(packet.pid()) {
            return Mark::PASS;
        }
        let mut of_packet = DescrambledCount::default();
        let mark = slots.mark(packet, keys, &mut of_packet);
        count.worked += of_packet.descrambled;
        count.left += of_packet.left_scrambled;
        mark
    })?;
    let Done { packets, count: Count { worked: descrambled, left }, .. } = done;
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

/// Packets that were worked on, and that would have been with another key.
#[derive(Clone, Copy, Default)]
struct Count {
    worked: usize,
    left: usize,
}

impl Count {
    const fn with(self, other: Self) -> Self {
        Self { worked: self.worked + other.worked, left: self.left + other.left }
    }
}

/// What was done.
struct Done {
    packets: usize,
    count: Count,
    batches: Batches,
}

/// Says what to do with a packet of the chosen PIDs, and counts it.
trait Marks: Fn(Packet<'_>, &mut BatchKeys, &Chosen, &mut Count) -> Mark + Sync {}
impl<M: Fn(Packet<'_>, &mut BatchKeys, &Chosen, &mut Count) -> Mark + Sync> Marks for M {}

/// Pumps the input through a scheduler into the output.
fn run(args: &Args, scheduler: fn(usize) -> Scheduler, mark: impl Marks) -> Result<Done, Failure> {
    let mut input = Input::open(&args.input)?;
    let new_scheduler = || scheduler(FULL_BATCH).with_deadline(args.batch_deadline_ms);
    let mut pump = Pump {
        output: Output::open(&args.output)?,
        choice: Choice::new(&args.pids),
        held: Vec::new(),
        scheduler: new_scheduler(),
        mark,
        count: Count::default(),
        begun: Instant::now(),
    };
    let at_hand = input.is_at_hand();
    let mut packets = 0;
    loop {
        if at_hand && !pump.choice.undecided() {
            let Pump { output, choice, mark, .. } = &mut pump;
            let shared = Shared::new(&mut input, choice, output);
            let rest = workers::run(shared, workers::threads(args.threads), new_scheduler, &*mark)?;
            packets += rest.packets;
            return pump.finish(packets, Some(rest));
        }
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
    pump.finish(packets, None)
}

struct Pump<M> {
    output: Output,
    choice: Choice,
    /// Packets that came before the PAT.
    held: Vec<RawPacket>,
    scheduler: Scheduler,
    mark: M,
    count: Count,
    begun: Instant,
}

impl<M: Marks> Pump<M> {
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
        let Self { mark, choice, count, .. } = self;
        let chosen = choice.chosen();
        self.scheduler.work(packets, |packet, keys| mark(packet, keys, &chosen, count));
        Ok(self.output.write(packets)?)
    }

    fn collect(&mut self, packets: &[RawPacket]) -> Outcome {
        let now = self.begun.elapsed();
        let chosen = self.choice.chosen();
        for packet in packets {
            // Ends: a scheduler whose batch has been taken has room.
            loop {
                let (mark, count) = (&self.mark, &mut self.count);
                let marked = self
                    .scheduler
                    .push_marked(packet, now, |packet, keys| mark(packet, keys, &chosen, count));
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

    fn finish(mut self, packets: usize, rest: Option<Rest>) -> Result<Done, Failure> {
        self.let_held_go()?;
        self.output.write(self.scheduler.take(self.begun.elapsed()))?;
        self.output.finish()?;
        let mut stats = self.scheduler.stats();
        let mut count = self.count;
        if let Some(rest) = rest {
            stats = stats.with(rest.stats);
            count = count.with(rest.count);
        }
        Ok(Done { packets, count, batches: stats.into() })
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
