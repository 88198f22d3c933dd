//! A host for guest tests: a chip that keeps the rules of membership without the cryptography,
//! storage in memory, and a record of everything that was called.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::indexing_slicing)]

pub mod sections;

use std::collections::BTreeMap;

use portcullis_svm::abi::{status, token};
use portcullis_svm::{
    CallPermitted, Client, GuestMemory, GuestSlice, HostFault, Image, Limits, Outcome, PermitTable,
    Reply, State, Syscall, SystemCalls, TraceStep, elf,
};

/// What the pretended chip and terminal know.
#[derive(Default)]
pub struct Host {
    pub address: u32,
    pub member_index: u8,
    pub vendor: u16,
    pub group: Option<u32>,
    pub service_keys: Vec<(u32, u32)>,
    pub tokens: BTreeMap<u32, Vec<u8>>,
    pub nv: BTreeMap<Vec<u8>, Vec<u8>>,
    pub loaded: Vec<(u32, u32, [u8; 16])>,
    pub released: Vec<u32>,
    pub statuses: Vec<String>,
    pub calls: Vec<Syscall>,
    pub states: Vec<State>,
    pub signature_ok: bool,
}

pub const UNIQUE: u8 = 1;
pub const GROUP: u8 = 2;
pub const ECM: u8 = 3;

/// A message as the pretended chip takes it: the real header, the body in clear, 16 octets.
pub fn seal(kind: u8, key_ref: u32, sequence: u32, ladder: &[u8], client: &[u8]) -> Vec<u8> {
    let mut out = vec![1, kind, 0, 0];
    out.extend(key_ref.to_be_bytes());
    out.extend(sequence.to_be_bytes());
    out.extend((ladder.len() as u16).to_be_bytes());
    out.extend(((ladder.len() + client.len()) as u16).to_be_bytes());
    out.extend(ladder);
    out.extend(client);
    out.resize(out.len().next_multiple_of(16) + 16, 0);
    out
}

struct Opened {
    kind: u8,
    key_ref: u32,
    sequence: u32,
    body: Vec<u8>,
}

impl Host {
    pub fn new() -> Self {
        Self { address: 0xA0A0, member_index: 3, vendor: 0x0A01, ..Self::default() }
    }

    fn open(&self, sealed: &[u8]) -> Result<Opened, i32> {
        let header: &[u8; 16] = sealed.first_chunk().ok_or(status::MALFORMED)?;
        let word = |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|i| header[at + i]));
        let body_len = usize::from(u16::from_be_bytes([header[14], header[15]]));
        let body = sealed.get(16..16 + body_len).ok_or(status::MALFORMED)?.to_vec();
        let opened = Opened { kind: header[1], key_ref: word(4), sequence: word(8), body };
        let known = match opened.kind {
            UNIQUE => Some(opened.key_ref == self.address),
            GROUP => self.group.map(|group| group == opened.key_ref),
            _ => self.service_keys.contains(&(opened.key_ref, opened.sequence)).then_some(true),
        };
        match known {
            Some(true) if sealed.last() == Some(&0) => Ok(opened),
            Some(true) => Err(status::BAD_MAC),
            Some(false) => Err(status::NOT_MEMBER),
            None => Err(status::NO_KEY),
        }
    }

    fn set_ek2(&mut self, sealed: &[u8]) -> Result<(), i32> {
        let opened = self.open(sealed)?;
        let group = opened.body.first_chunk().ok_or(status::MALFORMED)?;
        self.group = Some(u32::from_be_bytes(*group));
        Ok(())
    }

    fn set_ek1(&mut self, sealed: &[u8]) -> Result<(), i32> {
        let opened = self.open(sealed)?;
        let product = u32::from_be_bytes(*opened.body.first_chunk().ok_or(status::MALFORMED)?);
        let index = usize::from(self.member_index);
        let octet = opened.body.get(4 + index / 8).ok_or(status::MALFORMED)?;
        self.service_keys.retain(|key| *key != (product, opened.sequence));
        if octet >> (7 - index % 8) & 1 == 0 {
            return Err(status::NOT_MEMBER);
        }
        self.service_keys.push((product, opened.sequence));
        Ok(())
    }
}

fn answer(done: Result<(), i32>) -> Reply {
    done.map_or_else(Reply::error, |()| Reply::ok(0))
}

impl SystemCalls for Host {
    fn call(
        &mut self,
        _permitted: CallPermitted,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        self.calls.push(call);
        assert_eq!(args.len(), call.arguments());
        Ok(match call {
            Syscall::GetToken => match self.tokens.get(&args[0]) {
                Some(token) => memory.reply_with(args[1], args[2], token)?,
                None => Reply::error(status::NOT_FOUND),
            },
            Syscall::TokenInfo => match self.tokens.get(&args[0]) {
                Some(token) => Reply::ok(token.len() as u32),
                None => Reply::error(status::NOT_FOUND),
            },
            Syscall::KlSetVendor if args[0] == u32::from(self.vendor) => Reply::ok(0),
            Syscall::KlSetVendor => Reply::error(status::WRONG_VENDOR),
            Syscall::KlSetEk2 => answer(self.set_ek2(&memory.read(args[0], args[1])?)),
            Syscall::KlSetEk1 => answer(self.set_ek1(&memory.read(args[0], args[1])?)),
            Syscall::KlOpenMessage => match self.open(&memory.read(args[0], args[1])?) {
                Ok(opened) => memory.reply_with(args[2], args[3], &opened.body)?,
                Err(code) => Reply::error(code),
            },
            Syscall::KlLoadCw => {
                memory.read(args[3], args[4])?;
                self.loaded.push((args[0], args[1], memory.read_array(args[2])?));
                Reply::ok(0)
            }
            Syscall::KlRelease => {
                self.released.push(args[0]);
                Reply::ok(0)
            }
            Syscall::VerifySig => {
                memory.read(args[1], args[2])?;
                memory.read_array::<64>(args[3])?;
                match self.signature_ok {
                    true => Reply::ok(0),
                    false => Reply::error(status::BAD_SIGNATURE),
                }
            }
            Syscall::NvRead => match self.nv.get(&memory.read(args[0], args[1])?) {
                Some(value) => memory.reply_with(args[2], args[3], value)?,
                None => Reply::error(status::NOT_FOUND),
            },
            Syscall::NvWrite => {
                let key = memory.read(args[0], args[1])?;
                self.nv.insert(key, memory.read(args[2], args[3])?);
                Reply::ok(0)
            }
            Syscall::ClientStatus => {
                let json = memory.read(args[0], args[1])?;
                self.statuses.push(String::from_utf8(json).unwrap());
                Reply::ok(0)
            }
            Syscall::Log | Syscall::PutMsg => {
                let at = usize::from(call == Syscall::Log);
                memory.read(args[at], args[at + 1])?;
                Reply::ok(0)
            }
            Syscall::KlChallenge => {
                memory.read_array::<16>(args[0])?;
                memory.write(args[1], &[0; 16])?;
                Reply::ok(0)
            }
            Syscall::Sha256 => {
                memory.read(args[0], args[1])?;
                memory.write(args[2], &[0; 32])?;
                Reply::ok(0)
            }
            Syscall::Random => {
                GuestSlice::writable(memory, args[0], args[1])?;
                memory.write(args[0], &vec![4; args[1] as usize])?;
                Reply::ok(0)
            }
            _ => Reply::ok(1),
        })
    }

    fn trace(&mut self, step: TraceStep<'_>) {
        if let TraceStep::State { to, .. } = step {
            self.states.push(to);
        }
    }
}

impl Host {
    /// Raises an event with an access token in place.
    pub fn give(&mut self, client: &mut Client, kind: u32, section: Vec<u8>) -> Outcome {
        let len = section.len() as u32;
        self.tokens.insert(kind, section);
        match kind {
            token::EMM => client.raise(portcullis_svm::Event::Entitlement, &[len], self),
            _ => client.raise(portcullis_svm::Event::ChangeKey, &[1, len], self),
        }
    }
}

/// A built guest with its own policy; `None` (said aloud) when the build had no compiler for it.
pub fn guest(name: &str) -> Option<(Image, PermitTable, Limits)> {
    let Some(elf_file) =
        portcullis_assets::client(name).or_else(|| portcullis_assets::hostile(name))
    else {
        eprintln!("SKIPPED: guest {name} was not built (no RISC-V compiler)");
        return None;
    };
    let image = elf::flat_image(elf_file).unwrap();
    let policy =
        portcullis_package::parse_policy(portcullis_assets::policy(name).unwrap().as_bytes())
            .unwrap();
    assert_eq!(policy.text_bytes, image.text_bytes);
    Some((image, policy.permit_table(), policy.limits))
}

/// Every published call in every event.
pub fn everything() -> PermitTable {
    let mut table = PermitTable::deny_all();
    for event in portcullis_svm::Event::ALL {
        for call in Syscall::TABLE {
            table.permit(event, call.id());
        }
    }
    table
}
