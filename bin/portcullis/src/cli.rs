//! The command line: parses, starts logging, runs one subcommand and turns its error into one
//! line on stderr and an exit code (0 done, 1 refused or failed, 2 wrong usage).

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands;

/// The open, downloadable conditional access system.
#[derive(Parser)]
#[command(name = "portcullis", version, about, disable_help_subcommand = true)]
struct Cli {
    /// Ends together with this parent process.
    #[arg(long, hide = true, value_name = "PID")]
    ends_with: Option<i32>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make authority, SDMP, chip vendor, CA vendors and operator in a new data directory.
    Init(commands::init::Args),
    /// Run everything on one machine and show it in a page.
    Up(commands::up::Args),
    /// Run the ECM generator.
    Ecmg(commands::ecmg::Args),
    /// Print the access criteria of a product.
    Criteria(commands::criteria::Args),
    /// Dial a MUX and play the EMM carousel.
    Emmg(commands::emmg::Args),
    /// Scramble a service: SCS, CWG, scrambler and MUX.
    Headend(commands::headend::Args),
    /// Make, list and revoke virtual set-top boxes.
    Box(commands::r#box::Args),
    /// Sell a product to a box.
    Entitle(commands::entitle::EntitleArgs),
    /// Cancel a product of a box.
    Unentitle(commands::entitle::UnentitleArgs),
    /// Boot a box and descramble a stream with it.
    Terminal(commands::terminal::Args),
    /// Scramble with fixed control words.
    Scramble(commands::scramble::Args),
    /// Descramble with fixed control words.
    Descramble(commands::scramble::Args),
    /// Calculate key ladder vectors.
    Keyladder(commands::keyladder::Args),
    /// Pack, sign, inspect and verify client packages.
    Client(commands::client::Args),
    /// Run programs in the secure virtual machine.
    Svm(commands::svm::Args),
    /// Run the download centre.
    Centre(commands::centre::Args),
    /// The platform as the bootloader starts it; standard input is the chip.
    #[command(hide = true)]
    TerminalPlatform(commands::terminal::PlatformArgs),
}

impl Command {
    /// What is logged when `PORTCULLIS_LOG` says nothing. A command that ends by itself says what
    /// went wrong in the one line of its failure; what it tried before would only hide that.
    fn log_level(&self) -> &'static str {
        match self {
            Self::Up(_) | Self::Ecmg(_) | Self::Emmg(_) | Self::Centre(_) => "warn",
            Self::Headend(args) if args.is_live() => "warn",
            _ => "error",
        }
    }
}

/// A failed command: one line that says what and where, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) line: String,
    pub(crate) code: u8,
}

impl Failure {
    /// A refused or failed operation (exit code 1).
    pub(crate) fn new(line: impl Into<String>) -> Self {
        Self { line: line.into(), code: 1 }
    }

    /// Wrong usage that clap cannot see (exit code 2).
    pub(crate) fn usage(line: impl Into<String>) -> Self {
        Self { line: line.into(), code: 2 }
    }

    /// The same in this file.
    pub(crate) fn at(self, path: &std::path::Path) -> Self {
        Self { line: format!("{}: {}", path.display(), self.line), ..self }
    }

    /// A silent exit with the guest's or child's own code.
    pub(crate) fn exit_code(code: u8) -> Self {
        Self { line: String::new(), code }
    }
}

impl<E: std::error::Error> From<E> for Failure {
    /// The error and its sources in one line.
    fn from(error: E) -> Self {
        let mut line = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if !line.contains(&text) {
                line.push_str(": ");
                line.push_str(&text);
            }
            source = cause.source();
        }
        Self::new(line)
    }
}

/// What every subcommand returns.
pub(crate) type Outcome = Result<(), Failure>;

pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    if let Some(parent) = cli.ends_with
        && commands::up::end_with(parent).is_err()
    {
        return ExitCode::FAILURE;
    }
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("PORTCULLIS_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(cli.command.log_level())),
        )
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    let outcome = match cli.command {
        Command::Init(args) => commands::init::run(args),
        Command::Up(args) => commands::up::run(args),
        Command::Ecmg(args) => commands::ecmg::run(args),
        Command::Criteria(args) => commands::criteria::run(args),
        Command::Emmg(args) => commands::emmg::run(args),
        Command::Headend(args) => commands::headend::run(args),
        Command::Box(args) => commands::r#box::run(args),
        Command::Entitle(args) => commands::entitle::entitle(args),
        Command::Unentitle(args) => commands::entitle::unentitle(args),
        Command::Terminal(args) => commands::terminal::run(args),
        Command::Scramble(args) => commands::scramble::scramble(args),
        Command::Descramble(args) => commands::scramble::descramble(args),
        Command::Keyladder(args) => commands::keyladder::run(args),
        Command::Client(args) => commands::client::run(args),
        Command::Svm(args) => commands::svm::run(args),
        Command::Centre(args) => commands::centre::run(args),
        Command::TerminalPlatform(args) => commands::terminal::platform(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.line.is_empty() {
                eprintln!("portcullis: {}", failure.line.replace('\n', " "));
            }
            ExitCode::from(failure.code)
        }
    }
}
