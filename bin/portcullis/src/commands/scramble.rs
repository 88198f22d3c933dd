//! `portcullis scramble` and `portcullis descramble`: fixed control words, for test streams and
//! vectors.

use std::collections::BTreeSet;

use portcullis_headend::input::{Arrived, Input};
use portcullis_headend::location::Location;
use portcullis_headend::output::Output;
use portcullis_scramble::{Batch, Cipher, KeySlots};
use portcullis_ts::psi::{Pat, SectionAssembler, TableAssembler};
use portcullis_ts::{Packet, RawPacket};
use portcullis_types::{Parity, Pid, ScramblingMode, parse_u32};
use serde_json::json;

use crate::cli::{Failure, Outcome};

/// Packets that are held back at most until the PAT says which PIDs are PMTs.
const HELD_MAX: usize = 20_000;

/// Arguments of `portcullis scramble` and `portcullis descramble`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// csa2, csa2-full, cissa, idsa, aes-cbc or aes-ctr.
    #[arg(long)]
    mode: ScramblingMode,
    /// Control word in hex: even, or even and odd with a comma between them.
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
    let keys = keys(&args)?;
    let parity = Parity::from(args.parity);
    let cipher = keys.get(parity).ok_or_else(|| Failure::usage("--cw: no control word"))?;
    let mut scrambled = 0;
    let packets = run(&args, |packets, chosen| {
        let mut batch = Batch::with_capacity(packets.len());
        for packet in packets {
            if chosen.holds(Packet::new(packet).pid()) && Packet::new(packet).tsc().is_clear() {
                scrambled += usize::from(Packet::new(packet).payload_offset().is_some());
                batch.push(packet, cipher, parity);
            }
        }
        batch.scramble();
    })?;
    report(&args, &json!({"packets": packets, "scrambled": scrambled}), || {
        format!("{scrambled} of {packets} packets scrambled ({})", cipher.mode())
    });
    Ok(())
}

pub(crate) fn descramble(args: Args) -> Outcome {
    let keys = keys(&args)?;
    let (mut descrambled, mut left) = (0, 0);
    let packets = run(&args, |packets, chosen| {
        let count = keys.descramble_batch(packets, |packet| chosen.holds(packet.pid()));
        descrambled += count.descrambled;
        left += count.left_scrambled;
    })?;
    let summary = json!({"packets": packets, "descrambled": descrambled, "left_scrambled": left});
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
fn keys(args: &Args) -> Result<KeySlots, Failure> {
    let mode = match (args.mode, args.no_entropy_reduction) {
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

/// Pumps the input through `work` into the output; returns how many packets there were.
fn run(args: &Args, mut work: impl FnMut(&mut [RawPacket], &Choice)) -> Result<usize, Failure> {
    let mut input = Input::open(&args.input)?;
    let mut output = Output::open(&args.output)?;
    let mut choice = Choice::new(&args.pids);
    let mut held = Vec::new();
    let mut count = 0;
    loop {
        match input.read()? {
            Arrived::Packets(packets) => {
                count += packets.len();
                choice.learn(packets);
                if choice.undecided() && held.len() < HELD_MAX {
                    held.extend_from_slice(packets);
                    continue;
                }
                if !held.is_empty() {
                    work(&mut held, &choice);
                    output.write(&held)?;
                    held = Vec::new();
                }
                work(packets, &choice);
                output.write(packets)?;
            }
            Arrived::Silence => output.flush()?,
            Arrived::End => break,
        }
    }
    work(&mut held, &choice);
    output.write(&held)?;
    output.finish()?;
    Ok(count)
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
enum Choice {
    Named(BTreeSet<Pid>),
    /// All but null packets, the PIDs that PSI and SI own, and the PMTs.
    Content {
        pat: SectionAssembler,
        table: TableAssembler,
        pmts: BTreeSet<Pid>,
        seen: bool,
    },
}

/// PIDs up to here belong to PSI and SI (EN 300 468 5.1.3).
const SI_LAST: u16 = 0x1F;

impl Choice {
    fn new(pids: &[Pid]) -> Self {
        if pids.is_empty() {
            Self::Content {
                pat: SectionAssembler::new(),
                table: TableAssembler::new(),
                pmts: BTreeSet::new(),
                seen: false,
            }
        } else {
            Self::Named(pids.iter().copied().collect())
        }
    }

    const fn undecided(&self) -> bool {
        matches!(self, Self::Content { seen: false, .. })
    }

    fn learn(&mut self, packets: &[RawPacket]) {
        let Self::Content { pat, table, pmts, seen } = self else { return };
        for packet in packets.iter().map(Packet::new).filter(|packet| packet.pid() == Pid::PAT) {
            pat.push(packet);
            while let Some(section) = pat.pop() {
                // A damaged PAT is not believed; the next one may be whole.
                let Ok(Some(sections)) = table.push(section) else { continue };
                let Ok(found) = Pat::parse(&sections) else { continue };
                pmts.extend(found.programs.iter().map(|program| program.pmt_pid));
                *seen = true;
            }
        }
    }

    fn holds(&self, pid: Pid) -> bool {
        match self {
            Self::Named(pids) => pids.contains(&pid),
            Self::Content { pmts, .. } => {
                pid.get() > SI_LAST && pid != Pid::NULL && !pmts.contains(&pid)
            }
        }
    }
}
