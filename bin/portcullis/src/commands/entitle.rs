//! `portcullis entitle` and `unentitle`: sell a product to a box and cancel it.
//!
//! When the command says so, the right and the event that makes the EMM generator act on it are
//! on disk together.

use std::path::PathBuf;

use portcullis_headend::layout::DataDir;
use portcullis_headend::store::{Change, Operator, Repository};
use portcullis_headend::unix_now;
use portcullis_types::UnixSeconds;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::Outcome;

/// Arguments of `portcullis entitle`.
#[derive(clap::Args)]
pub(crate) struct EntitleArgs {
    #[command(flatten)]
    right: Right,
    /// First instant of the right: unix seconds or RFC 3339. Default: now.
    #[arg(long, value_name = "T", value_parser = instant)]
    from: Option<UnixSeconds>,
    /// First instant after the right. Default: a year after its beginning.
    #[arg(long, value_name = "T", value_parser = instant)]
    until: Option<UnixSeconds>,
}

/// Arguments of `portcullis unentitle`.
#[derive(clap::Args)]
pub(crate) struct UnentitleArgs {
    #[command(flatten)]
    right: Right,
}

#[derive(clap::Args)]
struct Right {
    /// The data directory.
    #[arg(long, value_name = "DIR", default_value = "portcullis-data")]
    data: PathBuf,
    /// The box.
    #[arg(long = "box", value_name = "NAME")]
    terminal: String,
    /// The product.
    #[arg(long, value_name = "P")]
    product: String,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn entitle(args: EntitleArgs) -> Outcome {
    let EntitleArgs { right, from, until } = args;
    let mut store = Operator::open(&DataDir::new(&right.data).operator_db())?;
    let from = from.unwrap_or_else(unix_now);
    let until = until.unwrap_or_else(|| UnixSeconds(from.0.saturating_add(YEAR)));
    let change = store.entitle(&right.terminal, &right.product, from, until)?;
    if right.json {
        println!(
            "{}",
            json!({"box": right.terminal, "product": right.product, "from": from.0,
                   "until": until.0, "changed": change == Change::Made})
        );
    } else {
        let (from, until) = (text(from), text(until));
        println!("box {} may watch {} from {from} until {until}", right.terminal, right.product);
    }
    Ok(())
}

pub(crate) fn unentitle(args: UnentitleArgs) -> Outcome {
    let UnentitleArgs { right } = args;
    let mut store = Operator::open(&DataDir::new(&right.data).operator_db())?;
    let change = store.unentitle(&right.terminal, &right.product)?;
    if right.json {
        println!(
            "{}",
            json!({"box": right.terminal, "product": right.product,
                   "changed": change == Change::Made})
        );
    } else {
        let outcome = match change {
            Change::Made => "may no longer watch",
            Change::None => "was not entitled to",
        };
        println!("box {} {outcome} {}", right.terminal, right.product);
    }
    Ok(())
}

/// Unix seconds or RFC 3339.
fn instant(text: &str) -> Result<UnixSeconds, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(UnixSeconds(seconds));
    }
    let wrong = || "neither unix seconds nor a time as 2026-11-21T10:00:00Z".to_owned();
    let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| wrong())?;
    u64::try_from(time.unix_timestamp()).map(UnixSeconds).map_err(|_| wrong())
}

fn text(time: UnixSeconds) -> String {
    i64::try_from(time.0)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| time.0.to_string())
}

/// 365 days.
const YEAR: u64 = 365 * 86_400;
