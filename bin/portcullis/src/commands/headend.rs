//! `portcullis headend`: SCS, CWG, scrambler and MUX.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portcullis_headend::event::Events;
use portcullis_headend::location::Location;
use portcullis_headend::playout::{EcmgAddress, PlayoutConfig, Summary, run as play};
use portcullis_types::{
    Deciseconds, EcmChannelId, ScramblingMode, ServiceId, SuperCasId, decode_hex, parse_u32,
};
use portcullis_vault::Passphrase;
use serde_json::json;

use crate::cli::Outcome;

/// Arguments of `portcullis headend`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data directory.
    #[arg(long, value_name = "DIR", default_value = "portcullis-data")]
    data: PathBuf,
    /// File with the passphrase of the data directory's unlock keys.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// A file, -, udp://HOST:PORT or rtp://HOST:PORT.
    #[arg(long)]
    input: Location,
    /// A file, -, udp://HOST:PORT or rtp://HOST:PORT.
    #[arg(long)]
    output: Location,
    /// The service_id (program number) that is scrambled.
    #[arg(long, value_name = "SID", value_parser = parse_u16)]
    service: u16,
    /// The product that guards the service; default: the first.
    #[arg(long, value_name = "NAME")]
    product: Option<String>,
    /// cissa, csa2, csa2-full, idsa or aes-cbc.
    #[arg(long, default_value = "cissa", value_parser = parse_mode)]
    mode: ScramblingMode,
    /// Length of a crypto-period in seconds.
    #[arg(long, value_name = "S", default_value = "10", value_parser = parse_crypto_period)]
    crypto_period: Deciseconds,
    /// An ECM generator instead of the data directory's own; may be given several times.
    #[arg(
        long,
        value_name = "ADDR:PORT,super_cas_id=0x..,ac=HEX",
        value_parser = parse_ecmg
    )]
    ecmg: Vec<EcmgAddress>,
    /// ECM_channel_id of the first ECM generator; default: differs between processes.
    #[arg(long, value_name = "N", value_parser = parse_u16)]
    ecm_channel_id: Option<u16>,
    /// Listen here for EMM generators instead of running the data directory's own.
    #[arg(long, value_name = "ADDR:PORT")]
    emm_listen: Option<String>,
    /// Bandwidth of the EMMs of one CA system.
    #[arg(long, value_name = "KBPS", default_value = "200")]
    emm_bandwidth: u16,
    /// Play the input file again and again, with continuous clocks and counters.
    #[arg(long = "loop")]
    repeat: bool,
    /// On air, a packet waits at most so long for its scrambling batch to fill; 0 to 1000.
    #[arg(long, value_name = "MS", default_value = "10", value_parser = parse_deadline)]
    batch_deadline_ms: Duration,
    /// JSON lines about crypto-periods, ECMs and counters on standard error.
    #[arg(long)]
    events: bool,
    /// One JSON object on standard output at the end.
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Does it run until it is stopped?
    pub(crate) fn is_live(&self) -> bool {
        self.output.is_live()
    }
}

pub(crate) fn run(args: Args) -> Outcome {
    let passphrase = args.passphrase_file.as_deref().map(Passphrase::from_file).transpose()?;
    let config = PlayoutConfig {
        data: args.data,
        passphrase: passphrase.map(Arc::new),
        input: args.input,
        output: args.output,
        service: ServiceId(args.service),
        product: args.product,
        mode: args.mode,
        crypto_period: args.crypto_period,
        ecmg: args.ecmg,
        ecm_channel_id: args.ecm_channel_id.map(EcmChannelId),
        emm_listen: args.emm_listen,
        emm_bandwidth_kbps: args.emm_bandwidth,
        repeat: args.repeat,
        batch_deadline: args.batch_deadline_ms,
    };
    let (live, standard) = (config.output.is_live(), config.output == Location::Standard);
    let (service, mode) = (args.service, args.mode);
    let announce = live && !args.json;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let stop = Arc::new(AtomicBool::new(false));
    let summary = runtime.block_on(async {
        tokio::spawn(stop_on_signal(Arc::clone(&stop)));
        if announce {
            println!("ready service={service} output={}", config.output);
        }
        play(config, Events::stderr(args.events), stop).await
    });
    // Nothing of this process is worth waiting for once the stream has ended.
    runtime.shutdown_background();
    report(&summary?, service, mode, args.json, standard);
    Ok(())
}

/// A signal ends the stream as its end would, so that an output file is whole.
async fn stop_on_signal(stop: Arc<AtomicBool>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    stop.store(true, Ordering::Relaxed);
}

fn report(summary: &Summary, service: u16, mode: ScramblingMode, as_json: bool, standard: bool) {
    if as_json {
        let mut value = json!(summary);
        value["service"] = json!(service);
        value["mode"] = json!(mode.name());
        // Standard output may be the stream itself.
        if standard { eprintln!("{value}") } else { println!("{value}") }
    } else {
        eprintln!(
            "service {service}: {} of {} packets scrambled ({mode}), {} crypto-periods, {} ECM and \
             {} EMM packets",
            summary.scrambled,
            summary.packets,
            summary.crypto_periods,
            summary.ecm_inserted,
            summary.emm_inserted
        );
    }
}

fn parse_u16(text: &str) -> Result<u16, String> {
    let number = parse_u32(text).map_err(|error| error.to_string())?;
    u16::try_from(number).map_err(|_| "16 bits at most".to_owned())
}

fn parse_mode(text: &str) -> Result<ScramblingMode, String> {
    match text
        .parse()
        .map_err(|error: portcullis_types::UnknownScramblingMode| error.to_string())?
    {
        // Every packet of a crypto-period would meet the same key stream.
        ScramblingMode::AesCtr => Err("aes-ctr is for test vectors, not for services".to_owned()),
        mode => Ok(mode),
    }
}

/// Seconds with at most one decimal place, from 1 s to an hour.
fn parse_crypto_period(text: &str) -> Result<Deciseconds, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds expected".to_owned())?;
    if (1.0..=3600.0).contains(&seconds) {
        Ok(Deciseconds((seconds * 10.0).round() as u16))
    } else {
        Err("between 1 and 3600 seconds".to_owned())
    }
}

/// Whole milliseconds, up to a second.
pub(crate) fn parse_deadline(text: &str) -> Result<Duration, String> {
    let milliseconds = parse_u32(text).map_err(|error| error.to_string())?;
    if milliseconds <= 1_000 {
        Ok(Duration::from_millis(milliseconds.into()))
    } else {
        Err("at most 1000 ms".to_owned())
    }
}

fn parse_ecmg(text: &str) -> Result<EcmgAddress, String> {
    let mut parts = text.split(',');
    let address = parts.next().filter(|part| part.contains(':')).ok_or("ADDR:PORT expected")?;
    let (mut super_cas_id, mut access_criteria) = (None, None);
    for part in parts {
        match part.split_once('=') {
            Some(("super_cas_id", id)) => {
                let id = parse_u32(id).map_err(|error| format!("super_cas_id: {error}"))?;
                super_cas_id = Some(SuperCasId(id));
            }
            Some(("ac", hex)) => {
                let mut octets = vec![0; hex.len() / 2];
                decode_hex(hex, &mut octets).map_err(|error| format!("ac: {error}"))?;
                access_criteria = Some(octets);
            }
            _ => return Err(format!("{part}: super_cas_id= or ac= expected")),
        }
    }
    Ok(EcmgAddress {
        address: address.to_owned(),
        super_cas_id: super_cas_id.ok_or("super_cas_id= is missing")?,
        access_criteria: access_criteria.unwrap_or_default(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ecm_generators_as_the_command_line_spells_them() {
        let found = parse_ecmg("127.0.0.1:2222,super_cas_id=0x7A100001,ac=0102").unwrap();
        assert_eq!(found.address, "127.0.0.1:2222");
        assert_eq!(found.super_cas_id, SuperCasId(0x7A10_0001));
        assert_eq!(found.access_criteria, [1, 2]);
        for wrong in ["", "host", "h:1", "h:1,ac=01", "h:1,super_cas_id=0x1,ac=1", "h:1,x=1"] {
            assert!(parse_ecmg(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn crypto_periods_are_seconds() {
        assert_eq!(parse_crypto_period("5"), Ok(Deciseconds(50)));
        assert_eq!(parse_crypto_period("1.5"), Ok(Deciseconds(15)));
        assert!(["0", "0.9", "4000", "x", "NaN"].iter().all(|t| parse_crypto_period(t).is_err()));
        assert!(parse_mode("aes-ctr").is_err());
    }
}
