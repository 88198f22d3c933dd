//! The software security chipset.
//!
//! Trust domain: the chip. It owns OTP, counters, ladder keys and descramblers, and answers
//! [`Request`]s. No [`Outcome`](crate::wire::Outcome) has a place for SCK, K3, K2, K1 or a
//! control word, so no request can be answered with one.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use portcullis_crypto::{
    Ed25519VerifyingKey, Zeroizing, aes256_gcm_open, aes256_gcm_seal, hkdf_sha256,
};
use portcullis_keyladder::{Sck, root_key, sckv, seedv};
use portcullis_scramble::{FULL_BATCH, Scheduler};
use portcullis_ts::packet::PACKET_SIZE;
use portcullis_types::{ScramblingMode, VendorSysId};

use crate::counters::{Counters, is_name};
use crate::memory::{PACKET_CAPACITY, PacketMemory};
use crate::otp::{Otp, OtpError};
use crate::session::{Selected, Session, VendorKeys};
use crate::wire::{
    BootFloors, BootLink, BootOperation, BootOutcome, ChipError, ChipInfo, Descrambled, Ladder,
    MAX_BATCH, MAX_CA_MESSAGE, MAX_SEALED, MAX_SESSIONS, MAX_TRUST_ANCHOR, Operation, Outcome,
    PlatformReport, Reply, Request, SEAL_OVERHEAD, SessionId, limit, pids,
};

/// CA vendors whose ladder keys are held at a time.
const MAX_VENDORS: usize = MAX_SESSIONS;
/// Challenges answered in a minute: enough for a headend, too few to study the ladder with.
const CHALLENGES_PER_MINUTE: usize = 30;
/// Links in the longest boot report.
const MAX_BOOT_LINKS: usize = 8;

/// Fills a buffer with randomness.
pub type RandomSource = Box<dyn FnMut(&mut [u8]) + Send>;

// spec: D-T4 D-X1
/// A chip in software.
pub struct SoftwareChip {
    otp: Otp,
    sck: Sck,
    counters: Counters,
    random: RandomSource,
    memory: PacketMemory,
    /// Packets while they are looked at: copies, so that the terminal cannot change them.
    scratch: Vec<[u8; PACKET_SIZE]>,
    scheduler: Scheduler,
    vendors: Vec<VendorKeys>,
    sessions: BTreeMap<SessionId, Session>,
    last_session: u32,
    challenges: VecDeque<Instant>,
    boot: Boot,
}

#[derive(Default)]
struct Boot {
    links: Vec<BootLink>,
    trust_anchor: Vec<u8>,
    /// BL_KEY1 while the bootloader runs; nothing else is answered then.
    bl_key1: Option<[u8; 32]>,
    /// The bootloader reported a platform that must not run: nothing is answered any more.
    failed: bool,
}

impl SoftwareChip {
    /// Powers a burnt chip up.
    ///
    /// # Errors
    /// [`OtpError`] when it was never burnt, is damaged or runs already.
    pub fn new(otp_dir: &Path, random: RandomSource) -> Result<Self, OtpError> {
        let otp = Otp::load(otp_dir)?;
        let sck = otp.sck();
        let counters = Counters::open(otp_dir, &sck)?;
        let memory = PacketMemory::create()
            .map_err(|source| OtpError::Io { path: "packet memory".into(), source })?;
        Ok(Self {
            otp,
            sck,
            counters,
            random,
            memory,
            scratch: vec![[0; PACKET_SIZE]; PACKET_CAPACITY],
            scheduler: Scheduler::descrambler(FULL_BATCH),
            vendors: Vec::new(),
            sessions: BTreeMap::new(),
            last_session: 0,
            challenges: VecDeque::new(),
            boot: Boot::default(),
        })
    }

    /// Answers one request. Every request is hostile.
    pub fn handle(&mut self, request: Request) -> Reply {
        match request {
            Request::Attach => Reply::Attached { packets: PACKET_CAPACITY as u32 },
            Request::Boot(operation) => Reply::Boot(self.boot_operation(operation)),
            _ if self.boot.bl_key1.is_some() || self.boot.failed => {
                Reply::Refused(ChipError::PlatformNotVerified)
            }
            Request::One(operation) => Reply::One(self.operation(operation)),
            Request::Batch(operations) => {
                if let Err(error) = limit("batch", operations.len(), MAX_BATCH) {
                    return Reply::Refused(error);
                }
                let mut outcomes = Vec::with_capacity(operations.len());
                for operation in operations {
                    let outcome = self.operation(operation);
                    let failed = outcome.is_err();
                    outcomes.push(outcome);
                    if failed {
                        break;
                    }
                }
                Reply::Batch(outcomes)
            }
        }
    }

    /// The links of the boot chain so far.
    #[must_use]
    pub fn boot_report(&self) -> &[BootLink] {
        &self.boot.links
    }

    /// Descriptor of the packet memory.
    pub(crate) fn packet_memory(&self) -> BorrowedFd<'_> {
        self.memory.fd()
    }

    pub(crate) const fn bl_key0(&self) -> &Ed25519VerifyingKey {
        self.otp.bl_key0()
    }

    /// Floors of one link of the boot chain.
    pub(crate) fn boot_floors(&self, counters: &BootCounters) -> BootFloors {
        // Only ever raised from 32-bit versions.
        let read = |name| u32::try_from(self.counters.read(name)).unwrap_or(u32::MAX);
        BootFloors { certificate: read(counters.certificate), image: read(counters.image) }
    }

    /// The bootloader is verified and about to run: from now until it reports the platform,
    /// only boot operations are answered.
    pub(crate) fn begin_boot(
        &mut self,
        bl_key1: [u8; 32],
        links: Vec<BootLink>,
        floors: BootFloors,
    ) -> Result<(), ChipError> {
        self.raise_floors(&BOOTLOADER_COUNTERS, floors)?;
        self.boot = Boot { links, bl_key1: Some(bl_key1), ..Boot::default() };
        Ok(())
    }

    fn raise_floors(
        &mut self,
        counters: &BootCounters,
        floors: BootFloors,
    ) -> Result<(), ChipError> {
        self.counters.raise(counters.certificate, u64::from(floors.certificate))?;
        Ok(self.counters.raise(counters.image, u64::from(floors.image))?)
    }

    fn boot_operation(&mut self, operation: BootOperation) -> Result<BootOutcome, ChipError> {
        let bl_key1 = self.boot.bl_key1.ok_or(ChipError::BootPhaseOver)?;
        match operation {
            BootOperation::Keys => {
                Ok(BootOutcome::Keys { bl_key1, floors: self.boot_floors(&PLATFORM_COUNTERS) })
            }
            BootOperation::Report(report) => self.platform_report(report),
        }
    }

    fn platform_report(&mut self, report: PlatformReport) -> Result<BootOutcome, ChipError> {
        limit("boot report", self.boot.links.len() + report.links.len(), MAX_BOOT_LINKS)?;
        limit("trust anchor", report.trust_anchor.len(), MAX_TRUST_ANCHOR)?;
        let good = report.good && report.links.iter().all(BootLink::is_good);
        if good {
            self.raise_floors(&PLATFORM_COUNTERS, report.floors)?;
            self.boot.trust_anchor = report.trust_anchor;
        }
        self.boot.links.extend(report.links);
        self.boot.bl_key1 = None;
        self.boot.failed = !good;
        Ok(BootOutcome::Noted)
    }

    fn operation(&mut self, operation: Operation) -> Result<Outcome, ChipError> {
        match operation {
            Operation::Info => Ok(Outcome::Info(ChipInfo {
                chip_id: self.otp.chip_id(),
                profile: self.otp.profile.name().to_owned(),
                packet_capacity: PACKET_CAPACITY as u32,
            })),
            Operation::OpenSession { vendor_sys_id, mode, ladder } => {
                self.open_session(vendor_sys_id, mode, ladder)
            }
            Operation::SetPids { session, pids: numbers } => {
                let pids = pids(&numbers)?;
                self.session(session)?.set_pids(pids);
                Ok(Outcome::Done)
            }
            Operation::SetEk2 { session, message } => {
                let (_, keys) = self.session_and_keys(session, &message)?;
                let (group_id, member_index) = keys.set_ek2(&message)?;
                Ok(Outcome::Group { group_id, member_index })
            }
            Operation::SetEk1 { session, message } => {
                let (_, keys) = self.session_and_keys(session, &message)?;
                let (product_id, epoch) = keys.set_ek1(&message)?;
                Ok(Outcome::Product { product_id, epoch })
            }
            Operation::OpenMessage { session, message } => {
                let (session, keys) = self.session_and_keys(session, &message)?;
                let opened = keys.open(&message)?;
                if opened.header().kind == portcullis_keyladder::envelope::Kind::Ecm {
                    session.selected = Some(Selected::of(opened.header()));
                }
                Ok(Outcome::Body(opened.into_body()))
            }
            Operation::LoadCw { session, parity, ecw, usage_rights } => {
                let (session, keys) = self.session_and_keys(session, &[])?;
                let selected = session.selected.ok_or(ChipError::NoEcmOpened)?;
                let cw = keys.unwrap_cw(&selected, session.mode, &ecw, &usage_rights)?;
                session.load(&selected, parity, cw)?;
                Ok(Outcome::Done)
            }
            Operation::Release { session } => {
                self.session(session)?.release();
                Ok(Outcome::Done)
            }
            Operation::CloseSession { session } => {
                self.sessions.remove(&session).ok_or(ChipError::NoSuchSession)?;
                Ok(Outcome::Done)
            }
            Operation::Challenge { session, nonce } => self.challenge(session, &nonce),
            Operation::Descramble { session, first, count } => {
                self.descramble(session, first, count)
            }
            Operation::Seal { label, data } => self.seal(&label, data),
            Operation::Unseal { label, data } => self.unseal(&label, &data),
            Operation::CounterRead { name } => Ok(Outcome::Counter(self.counters.read(&name))),
            Operation::CounterRaise { name, value } => {
                if name.starts_with(BOOT_PREFIX) {
                    return Err(ChipError::ReservedCounter);
                }
                self.counters.raise(&name, value)?;
                Ok(Outcome::Done)
            }
            Operation::BootReport => Ok(Outcome::BootReport(self.boot.links.clone())),
            Operation::TrustAnchor => Ok(Outcome::TrustAnchor(self.boot.trust_anchor.clone())),
        }
    }

    /// Opens a session and derives K3 of its vendor, unless its ladder is at hand already.
    // spec: D-K2 D-K4
    // defends: T-03
    fn open_session(
        &mut self,
        vendor: VendorSysId,
        mode: ScramblingMode,
        ladder: Ladder,
    ) -> Result<Outcome, ChipError> {
        if self.sessions.len() >= MAX_SESSIONS {
            return Err(ChipError::TooManySessions);
        }
        if !self.vendors.iter().any(|keys| (keys.vendor, keys.ladder) == (vendor, ladder)) {
            self.make_room_for_a_vendor();
            let profile = self.otp.profile;
            let k3 = root_key(
                profile,
                &sckv(profile, &self.sck, vendor),
                &seedv(profile, &self.otp.mask_key, vendor),
                self.otp.module_id,
            )
            .map_err(|_| ChipError::Malformed)?;
            self.vendors.push(VendorKeys::new(self.otp.chip_id(), vendor, ladder, k3));
        }
        self.last_session = self.last_session.wrapping_add(1);
        let session = SessionId(self.last_session);
        self.sessions.insert(session, Session::new(vendor, ladder, mode));
        Ok(Outcome::Session(session))
    }

    /// Ladder keys outlive sessions (a change of channel must not need new EMMs) until another
    /// vendor needs the place. There are at most as many sessions as places.
    fn make_room_for_a_vendor(&mut self) {
        if self.vendors.len() < MAX_VENDORS {
            return;
        }
        let unused = self.vendors.iter().position(|keys| {
            !self.sessions.values().any(|s| (s.vendor, s.ladder) == (keys.vendor, keys.ladder))
        });
        if let Some(unused) = unused {
            self.vendors.remove(unused);
        }
    }

    fn session(&mut self, session: SessionId) -> Result<&mut Session, ChipError> {
        self.sessions.get_mut(&session).ok_or(ChipError::NoSuchSession)
    }

    /// The session and its vendor's keys; refuses a message that is too long for one.
    fn session_and_keys(
        &mut self,
        session: SessionId,
        message: &[u8],
    ) -> Result<(&mut Session, &mut VendorKeys), ChipError> {
        limit("CA message", message.len(), MAX_CA_MESSAGE)?;
        let session = self.sessions.get_mut(&session).ok_or(ChipError::NoSuchSession)?;
        let keys = self
            .vendors
            .iter_mut()
            .find(|keys| (keys.vendor, keys.ladder) == (session.vendor, session.ladder))
            .ok_or(ChipError::NoSuchSession)?;
        Ok((session, keys))
    }

    // spec: D-K6
    fn challenge(&mut self, session: SessionId, nonce: &[u8; 16]) -> Result<Outcome, ChipError> {
        let now = Instant::now();
        let minute = Duration::from_secs(60);
        while self.challenges.front().is_some_and(|at| now.duration_since(*at) >= minute) {
            self.challenges.pop_front();
        }
        if self.challenges.len() >= CHALLENGES_PER_MINUTE {
            return Err(ChipError::RateLimited);
        }
        let (_, keys) = self.session_and_keys(session, &[])?;
        let dnonce = keys.challenge(nonce)?;
        self.challenges.push_back(now);
        Ok(Outcome::Dnonce(dnonce))
    }

    fn descramble(
        &mut self,
        session: SessionId,
        first: u32,
        count: u32,
    ) -> Result<Outcome, ChipError> {
        let outside = ChipError::PacketRange { first, count };
        let session = self.sessions.get_mut(&session).ok_or(ChipError::NoSuchSession)?;
        let Some(packets) = self.scratch.get_mut(..count as usize) else {
            return Err(outside);
        };
        if !self.memory.read(first as usize, packets) {
            return Err(outside);
        }
        let counts: Descrambled = session.descramble(&mut self.scheduler, packets);
        if counts.descrambled > 0 && !self.memory.write(first as usize, packets) {
            return Err(outside);
        }
        Ok(Outcome::Descrambled(counts))
    }

    fn seal(&mut self, label: &str, data: Vec<u8>) -> Result<Outcome, ChipError> {
        limit("data to seal", data.len(), MAX_SEALED)?;
        let key = self.seal_key(label)?;
        let mut nonce = [0; 12];
        (self.random)(&mut nonce);
        let mut sealed = data;
        aes256_gcm_seal(&key, &nonce, label.as_bytes(), &mut sealed)
            .map_err(|_| ChipError::SealRefused)?;
        sealed.splice(0..0, nonce);
        Ok(Outcome::Data(sealed))
    }

    fn unseal(&self, label: &str, sealed: &[u8]) -> Result<Outcome, ChipError> {
        limit("sealed data", sealed.len(), MAX_SEALED + SEAL_OVERHEAD)?;
        let key = self.seal_key(label)?;
        let (nonce, data) = sealed.split_first_chunk::<12>().ok_or(ChipError::SealRefused)?;
        let mut data = data.to_vec();
        aes256_gcm_open(&key, nonce, label.as_bytes(), &mut data)
            .map_err(|_| ChipError::SealRefused)?;
        Ok(Outcome::Data(data))
    }

    // defends: T-02
    fn seal_key(&self, label: &str) -> Result<Zeroizing<[u8; 32]>, ChipError> {
        if !is_name(label) {
            return Err(ChipError::BadName);
        }
        let mut key = Zeroizing::new([0; 32]);
        hkdf_sha256(self.sck.expose_secret(), b"portcullis seal v1", label.as_bytes(), &mut *key)
            .map_err(|_| ChipError::BadName)?;
        Ok(key)
    }
}

/// Names of the counters that hold the floors of a link.
pub(crate) struct BootCounters {
    certificate: &'static str,
    image: &'static str,
}

pub(crate) const BOOTLOADER_COUNTERS: BootCounters =
    BootCounters { certificate: "boot/bl-key1", image: "boot/bootloader" };
const PLATFORM_COUNTERS: BootCounters =
    BootCounters { certificate: "boot/platform-key", image: "boot/platform" };
const BOOT_PREFIX: &str = "boot/";
