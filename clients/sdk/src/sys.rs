//! The system calls as functions. Output buffers are Rust memory, so these are all safe.

use alloc::vec::Vec;

use crate::abi::{call, status};
use crate::trap;

/// A negative status of [`crate::abi::status`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status(pub i32);

fn checked((result, code): (u32, i32)) -> Result<u32, Status> {
    if code < 0 { Err(Status(code)) } else { Ok(result) }
}

fn ptr(bytes: &[u8]) -> u32 {
    bytes.as_ptr() as u32
}

fn len(bytes: &[u8]) -> u32 {
    bytes.len() as u32
}

/// Ends the client.
pub fn exit(code: u32) -> ! {
    trap::<{ call::EXIT }, 1>([code]);
    // Exit does not come back.
    loop {
        core::hint::spin_loop();
    }
}

/// Octets of heap.
pub fn heap_size() -> u32 {
    trap::<{ call::HEAP_SIZE }, 0>([]).0
}

/// Octets of stack.
pub fn stack_size() -> u32 {
    trap::<{ call::STACK_SIZE }, 0>([]).0
}

/// A message to the host.
pub fn put_message(message: &[u8]) -> Result<(), Status> {
    checked(trap::<{ call::PUT_MSG }, 2>([ptr(message), len(message)])).map(drop)
}

/// A line for the log: 1 error, 2 warning, 3 information, 4 detail.
pub fn log(level: u32, line: &str) {
    trap::<{ call::LOG }, 3>([level, ptr(line.as_bytes()), len(line.as_bytes())]);
}

/// A copy of the access token of a kind (see [`crate::abi::token`]).
pub fn get_token(kind: u32) -> Result<Vec<u8>, Status> {
    let size = checked(trap::<{ call::TOKEN_INFO }, 1>([kind]))?;
    let mut out = zeroed(size)?;
    let got = checked(trap::<{ call::GET_TOKEN }, 3>([kind, ptr_mut(&mut out), size]))?;
    out.truncate(got as usize);
    Ok(out)
}

/// Names the vendor whose ladder this client uses; must be the package's.
pub fn kl_set_vendor(vendor_sys_id: u16) -> Result<(), Status> {
    checked(trap::<{ call::KL_SET_VENDOR }, 1>([vendor_sys_id.into()])).map(drop)
}

/// Loads K2 from a whole sealed unique EMM.
pub fn kl_set_ek2(envelope: &[u8]) -> Result<(), Status> {
    checked(trap::<{ call::KL_SET_EK2 }, 2>([ptr(envelope), len(envelope)])).map(drop)
}

/// Loads K1 from a whole sealed group EMM, if this chip is a member.
pub fn kl_set_ek1(envelope: &[u8]) -> Result<(), Status> {
    checked(trap::<{ call::KL_SET_EK1 }, 2>([ptr(envelope), len(envelope)])).map(drop)
}

/// Opens a sealed message: ladder part, then client part.
pub fn kl_open_message(envelope: &[u8]) -> Result<Vec<u8>, Status> {
    // What is inside is never longer than what is around it.
    let mut out = zeroed(len(envelope))?;
    let cap = len(&out);
    let got = checked(trap::<{ call::KL_OPEN_MESSAGE }, 4>([
        ptr(envelope),
        len(envelope),
        ptr_mut(&mut out),
        cap,
    ]))?;
    out.truncate(got as usize);
    Ok(out)
}

/// Loads a control word: parity 0 even, 1 odd.
pub fn kl_load_cw(
    session: u32,
    parity: u32,
    ecw: &[u8; 16],
    usage_rights: &[u8],
) -> Result<(), Status> {
    checked(trap::<{ call::KL_LOAD_CW }, 5>([
        session,
        parity,
        ptr(ecw),
        ptr(usage_rights),
        len(usage_rights),
    ]))
    .map(drop)
}

/// Answers a challenge with the ladder.
pub fn kl_challenge(nonce: &[u8; 16]) -> Result<[u8; 16], Status> {
    let mut out = [0; 16];
    checked(trap::<{ call::KL_CHALLENGE }, 2>([ptr(nonce), ptr_mut(&mut out)]))?;
    Ok(read_back(out))
}

/// Clears the keys of a descrambler session.
pub fn kl_release(session: u32) -> Result<(), Status> {
    checked(trap::<{ call::KL_RELEASE }, 1>([session])).map(drop)
}

/// SHA-256.
pub fn sha256(data: &[u8]) -> Result<[u8; 32], Status> {
    let mut out = [0; 32];
    checked(trap::<{ call::SHA256 }, 3>([ptr(data), len(data), ptr_mut(&mut out)]))?;
    Ok(read_back(out))
}

/// Verifies an Ed25519 signature under a key of [`crate::abi::key`].
pub fn verify_signature(key: u32, data: &[u8], signature: &[u8; 64]) -> Result<(), Status> {
    checked(trap::<{ call::VERIFY_SIG }, 4>([key, ptr(data), len(data), ptr(signature)])).map(drop)
}

/// Random octets.
pub fn random(out: &mut [u8]) -> Result<(), Status> {
    let size = len(out);
    checked(trap::<{ call::RANDOM }, 2>([ptr_mut(out), size])).map(drop)
}

/// Reads a record; `None` when there is none.
pub fn nv_read(key: &[u8]) -> Result<Option<Vec<u8>>, Status> {
    let mut size = 256;
    // Once to learn the length, once to read.
    for _ in 0..2 {
        let mut out = zeroed(size)?;
        let (result, code) =
            trap::<{ call::NV_READ }, 4>([ptr(key), len(key), ptr_mut(&mut out), size]);
        match code {
            status::TOO_SMALL => size = result,
            status::NOT_FOUND => return Ok(None),
            code => {
                out.truncate(checked((result, code))? as usize);
                return Ok(Some(out));
            }
        }
    }
    Err(Status(status::TOO_SMALL))
}

/// Writes a record, whole or not at all.
pub fn nv_write(key: &[u8], value: &[u8]) -> Result<(), Status> {
    checked(trap::<{ call::NV_WRITE }, 4>([ptr(key), len(key), ptr(value), len(value)])).map(drop)
}

/// Raises a monotonic counter and gives its new value.
pub fn nv_monotonic_inc(id: u32) -> Result<u32, Status> {
    checked(trap::<{ call::NV_MONOTONIC_INC }, 1>([id]))
}

/// Status for the user: one JSON object.
pub fn client_status(json: &str) {
    trap::<{ call::CLIENT_STATUS }, 2>([ptr(json.as_bytes()), len(json.as_bytes())]);
}

fn ptr_mut(bytes: &mut [u8]) -> u32 {
    bytes.as_mut_ptr() as u32
}

/// The machine has written behind the compiler's back: look again.
fn read_back<const N: usize>(out: [u8; N]) -> [u8; N] {
    core::hint::black_box(out)
}

fn zeroed(size: u32) -> Result<Vec<u8>, Status> {
    if size > crate::abi::CALL_BYTES_MAX {
        return Err(Status(status::TOO_SMALL));
    }
    Ok(alloc::vec![0; size as usize])
}
