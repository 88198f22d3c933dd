//! `portcullis-bench`: measures hot parts of the project beside other implementations.
//!
//! Trust domain: none; a tool for developers. Ours and the peers take turns within one run (A B A
//! B), each turn is measured in CPU time of its thread, and the median of the turns is told. What
//! must never happen: a figure that was not measured. A peer that is not there is told as such.

mod cenc;
mod cenc_file;
mod ecm_engine;
mod files;
mod measure;
mod native;
mod scramble;
mod svm;

use std::process::ExitCode;

use measure::{Options, Row};
use serde_json::{Map, Value, json};

const USAGE: &str = "usage: portcullis-bench scramble|svm [--json] [--pairs N] [--only ROW]";

fn main() -> ExitCode {
    #[cfg(feature = "rows")]
    if let Some(outcome) = rows() {
        return outcome;
    }
    let Some(arguments) = Arguments::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let rows = match arguments.what {
        What::Scramble => scramble::rows(&arguments.options)
            .map(|rows| {
                let rows = rows.into_iter().chain(files::rows(&arguments.options));
                rows.chain(cenc_file::rows(&arguments.options)).collect()
            })
            .map_err(|error| error.to_string()),
        What::Svm => svm::rows(&arguments.options).map_err(|error| format!("svm: {error}")),
    };
    match rows {
        Ok(rows) => {
            report(&rows, arguments.json);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("portcullis-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `rows [N] [--write] [--left-out] [--show PROGRAM]`: see `svm/rows.rs`. `None`: something else is asked for.
#[cfg(feature = "rows")]
fn rows() -> Option<ExitCode> {
    let mut given = std::env::args().skip(1);
    given.next().filter(|what| what == "rows")?;
    let mut asked = svm::rows::Asked::default();
    while let Some(argument) = given.next() {
        match (argument.as_str(), argument.parse()) {
            ("--show", _) => asked.show = given.next(),
            ("--write", _) => asked.writes = true,
            ("--left-out", _) => asked.left_out = true,
            (_, Ok(count)) => asked.count = count,
            _ => {
                eprintln!(
                    "usage: portcullis-bench rows [N] [--write] [--left-out] [--show PROGRAM]"
                );
                return Some(ExitCode::from(2));
            }
        }
    }
    Some(match svm::rows::run(&asked) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("portcullis-bench: rows: {error}");
            ExitCode::FAILURE
        }
    })
}

/// The name on the command line.
enum What {
    Scramble,
    Svm,
}

struct Arguments {
    what: What,
    json: bool,
    options: Options,
}

impl Arguments {
    fn parse(mut given: impl Iterator<Item = String>) -> Option<Self> {
        let what = match given.next()?.as_str() {
            "scramble" => What::Scramble,
            "svm" => What::Svm,
            _ => return None,
        };
        let mut arguments = Self { what, json: false, options: Options::default() };
        while let Some(argument) = given.next() {
            match argument.as_str() {
                "--json" => arguments.json = true,
                "--pairs" => arguments.options.pairs = given.next()?.parse().ok()?,
                "--only" => arguments.options.only = Some(given.next()?),
                _ => return None,
            }
        }
        (1..=1_000).contains(&arguments.options.pairs).then_some(arguments)
    }
}

fn report(rows: &[Row], as_json: bool) {
    if as_json {
        let rows: Vec<Value> = rows.iter().map(to_json).collect();
        println!("{}", Value::from(rows));
        return;
    }
    for row in rows {
        print!("{:16} {} ", row.work, row.unit);
        row.ours.map_or_else(|| print!("not measured"), |ours| print!("{ours:.2}"));
        if let Some((time, unit)) = row.each() {
            print!(" ({time:.2} {unit} each)");
        }
        for (name, value) in &row.peers {
            match (value, row.ratio(*value)) {
                (Some(value), Some(ratio)) => print!("  {name} {value:.2} (x {ratio:.2})"),
                (Some(value), None) => print!("  {name} {value:.2}"),
                _ => print!("  {name} not measured{}", svm::why_not(name)),
            }
        }
        println!();
    }
}

/// What was not measured is null.
fn to_json(row: &Row) -> Value {
    let of = |value: &dyn Fn(Option<f64>) -> Option<f64>| -> Map<String, Value> {
        row.peers.iter().map(|(name, peer)| ((*name).to_owned(), json!(value(*peer)))).collect()
    };
    json!({
        "work": row.work,
        "unit": row.unit,
        "ours": row.ours,
        "peers": of(&|peer| peer),
        "ratio": of(&|peer| row.ratio(peer)),
    })
}
