//! Our machine, as terminals run it: every access checked, metered exactly, asked for at the
//! policy monitor and the provider table.

use portcullis_svm::{
    CallPermitted, Client, Engine, Event, GuestMemory, HostFault, Image, Limits, Outcome,
    PermitTable, Reply, Snapshot, Syscall, SystemCalls, elf,
};

use super::{BUDGET, Guest, Machine, answer};

/// What the guest in Rust (`clients/hostile/src/bin/bench.rs`) calls the work of `sha256.c`.
pub(super) const RUSTC_SHA256: u32 = 8;

/// A loaded guest, after Initialize.
pub(super) struct Ours {
    image: Image,
    client: Client,
    guest: Guest,
    tier: Tier,
}

/// Gives a client its compiling tier; `None` when there is none or it refuses.
type Tier = fn(&mut Client) -> Option<()>;

impl Ours {
    pub(super) fn start(file: &[u8], engine: Engine, guest: Guest) -> Option<Self> {
        Self::with(file, engine, guest, |_| Some(()))
    }

    /// With the compiling tier.
    #[cfg(feature = "compiled")]
    pub(super) fn compiled(file: &[u8], guest: Guest) -> Option<Self> {
        Self::with(file, Engine::default(), guest, |client| {
            client.set_compiler(portcullis_svm_compiler::tier()?).then_some(())
        })
    }

    /// In the match loop, which counts what it executes.
    #[cfg(feature = "rows")]
    pub(super) fn counting(file: &[u8]) -> Option<Self> {
        Self::start(file, Engine::MatchLoop, Guest::Clang)
    }

    /// What was executed since the last call.
    #[cfg(feature = "rows")]
    pub(super) fn take_profile(&self) -> portcullis_svm::choice::Profile {
        self.client.take_profile()
    }

    /// As if every instruction of a client were executed once.
    #[cfg(feature = "rows")]
    pub(super) fn text_profile(file: &[u8]) -> Option<portcullis_svm::choice::Profile> {
        Some(load(&elf::flat_image(file).ok()?)?.text_profile())
    }

    fn with(file: &[u8], engine: Engine, guest: Guest, tier: Tier) -> Option<Self> {
        let image = elf::flat_image(file).ok()?;
        let mut client = load(&image)?;
        tier(&mut client)?;
        client.set_engine(engine);
        let outcome = client.raise(Event::Initialize, &[], &mut Host);
        matches!(outcome, Outcome::Returned(_)).then_some(Self { image, client, guest, tier })
    }
}

impl Ours {
    /// Instructions that the guest has retired.
    pub(super) const fn retired(&self) -> u64 {
        self.client.retired_instructions()
    }

    /// What clones of this guest are made from.
    pub(super) fn snapshot(&self) -> Option<Snapshot> {
        self.client.snapshot().ok()
    }
}

impl Machine for Ours {
    fn event(&mut self, what: u32, rounds: u32) -> Option<u32> {
        let what = if self.guest == Guest::Rustc { RUSTC_SHA256 } else { what };
        match self.client.raise(Event::Timer, &[what, rounds], &mut Host) {
            Outcome::Returned(sum) => Some(sum),
            _ => None,
        }
    }

    /// Scan, decoding, layout of code and RAM, and the wiping of them at the end.
    fn load(&self) -> Option<()> {
        let mut client = load(&self.image)?;
        (self.tier)(&mut client)?;
        drop(std::hint::black_box(client));
        Some(())
    }
}

fn load(image: &Image) -> Option<Client> {
    let mut permits = PermitTable::deny_all();
    for event in Event::ALL {
        for call in Syscall::TABLE {
            permits.permit(event, call.id());
        }
    }
    let limits = Limits {
        ram_bytes: 128 << 10,
        heap_bytes: 64 << 10,
        stack_bytes: 16 << 10,
        budget: BUDGET,
        compile: true,
        ..Limits::default()
    };
    Client::load(image, permits, limits).ok()
}

/// Answers the one call that guests make.
struct Host;

impl SystemCalls for Host {
    fn call(
        &mut self,
        _: CallPermitted,
        call: Syscall,
        args: &[u32],
        _: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        match (call, args) {
            (Syscall::TokenInfo, &[kind]) => Ok(Reply::ok(answer(kind))),
            _ => Err(HostFault::NoSuchCall),
        }
    }

    fn is_traced(&self) -> bool {
        false
    }
}
