//! The system calls as functions. Output buffers are Rust memory, so these are all safe.

use alloc::vec::Vec;

use crate::abi::{call, method, status};
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

/// The content of a Descramble event, given back with its payloads descrambled.
pub fn put_content(content: &[u8]) -> Result<(), Status> {
    checked(trap::<{ call::PUT_CONTENT }, 2>([ptr(content), len(content)])).map(drop)
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

/// A message: what answers a call later, or comes from another client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// One of [`crate::abi::source`].
    pub source: u32,
    /// Which request, connection or channel.
    pub number: u32,
    /// The rest.
    pub body: Vec<u8>,
}

/// Takes the message that waits longest; `None` when none does.
pub fn get_message() -> Result<Option<Message>, Status> {
    let mut size = 256;
    // Once to learn the length, once to read.
    for _ in 0..2 {
        let mut out = zeroed(size)?;
        let (result, code) = trap::<{ call::GET_MSG }, 2>([ptr_mut(&mut out), size]);
        match code {
            status::TOO_SMALL => size = result,
            status::NOT_FOUND => return Ok(None),
            code => {
                out.truncate(checked((result, code))? as usize);
                let (source, rest) = word(&out)?;
                let (number, body) = word(rest)?;
                return Ok(Some(Message { source, number, body: body.to_vec() }));
            }
        }
    }
    Err(Status(status::TOO_SMALL))
}

/// Asks a host service of [`crate::abi::service`] and takes its answer.
pub fn sync_call(service: u32, request: &[u8]) -> Result<Vec<u8>, Status> {
    checked(trap::<{ call::SYNC_CALL }, 3>([service, ptr(request), len(request)]))?;
    get_message()?.map(|message| message.body).ok_or(Status(status::NOT_FOUND))
}

/// Seconds since 1970, by the terminal's clock.
pub fn time() -> Result<u64, Status> {
    let body = sync_call(crate::abi::service::TIME, &[])?;
    body.try_into().map(u64::from_be_bytes).map_err(|_| Status(status::MALFORMED))
}

/// A function of [`crate::abi::clib`] on addresses of this program; it writes where `a` says, so
/// that must be memory the caller owns.
pub fn clib(function: u32, a: u32, b: u32, size: u32) -> Result<u32, Status> {
    checked(trap::<{ call::CLIB }, 4>([function, a, b, size]))
}

/// AES-128-CMAC under a key of [`crate::abi::key`] or of [`hkdf_to_handle`].
pub fn aes_cmac(key: u32, data: &[u8]) -> Result<[u8; 16], Status> {
    let mut out = [0; 16];
    checked(trap::<{ call::AES_CMAC }, 4>([key, ptr(data), len(data), ptr_mut(&mut out)]))?;
    Ok(read_back(out))
}

/// HMAC-SHA-256 under a key of [`crate::abi::key`] or of [`hkdf_to_handle`].
pub fn hmac_sha256(key: u32, data: &[u8]) -> Result<[u8; 32], Status> {
    let mut out = [0; 32];
    checked(trap::<{ call::HMAC_SHA256 }, 4>([key, ptr(data), len(data), ptr_mut(&mut out)]))?;
    Ok(read_back(out))
}

/// Derives a key by HKDF-SHA-256 and gives its handle.
pub fn hkdf_to_handle(key: u32, salt: &[u8], info: &[u8]) -> Result<u32, Status> {
    let args = [key, ptr(salt), len(salt), ptr(info), len(info)];
    checked(trap::<{ call::HKDF_TO_HANDLE }, 5>(args))
}

/// Forgets a derived key.
pub fn key_release(key: u32) -> Result<(), Status> {
    checked(trap::<{ call::KEY_RELEASE }, 1>([key])).map(drop)
}

/// Starts an HTTPS request (GET without a body, else POST); the answer is a message of
/// [`crate::abi::source::NETWORK`] with this number.
pub fn http_request(url: &str, body: Option<&[u8]>) -> Result<u32, Status> {
    let method = if body.is_some() { method::POST } else { method::GET };
    let body = body.unwrap_or_default();
    let args = [method, ptr(url.as_bytes()), len(url.as_bytes()), ptr(body), len(body)];
    checked(trap::<{ call::HTTP_REQUEST }, 5>(args))
}

/// Starts a TLS connection; what becomes of it comes in messages with this number.
pub fn tls_connect(host: &str, port: u16) -> Result<u32, Status> {
    let host = host.as_bytes();
    checked(trap::<{ call::TLS_CONNECT }, 3>([ptr(host), len(host), port.into()]))
}

/// Sends octets on a connection.
pub fn tls_send(number: u32, data: &[u8]) -> Result<(), Status> {
    checked(trap::<{ call::TLS_SEND }, 3>([number, ptr(data), len(data)])).map(drop)
}

/// Ends a request or a connection.
pub fn net_close(number: u32) -> Result<(), Status> {
    checked(trap::<{ call::NET_CLOSE }, 1>([number])).map(drop)
}

/// A line for the user: kind 1 information, 2 warning, 3 error.
pub fn ui_message(kind: u32, text: &str) -> Result<(), Status> {
    let text = text.as_bytes();
    checked(trap::<{ call::UI_MESSAGE }, 3>([kind, ptr(text), len(text)])).map(drop)
}

/// A Timer event after `first_ms`, then every `period_ms` (0: no others).
pub fn set_timer(number: u32, first_ms: u32, period_ms: u32) -> Result<(), Status> {
    checked(trap::<{ call::SET_TIMER }, 3>([number, first_ms, period_ms])).map(drop)
}

/// No more events of a timer.
pub fn cancel_timer(number: u32) -> Result<(), Status> {
    checked(trap::<{ call::CANCEL_TIMER }, 1>([number])).map(drop)
}

/// May content for viewers of this age be shown? The answer is a message of
/// [`crate::abi::source::PARENTAL`] with this number.
pub fn parental_check(age: u32) -> Result<u32, Status> {
    checked(trap::<{ call::PARENTAL_CHECK }, 1>([age]))
}

/// A payload for the watermark of the picture.
pub fn watermark(payload: &[u8]) -> Result<(), Status> {
    checked(trap::<{ call::WATERMARK }, 2>([ptr(payload), len(payload)])).map(drop)
}

/// The channel to another client of this terminal.
pub fn channel_open(super_scp_id: u32, client_id: u32) -> Result<u32, Status> {
    checked(trap::<{ call::CHANNEL_OPEN }, 2>([super_scp_id, client_id]))
}

/// A message to the client at the other end.
pub fn channel_send(channel: u32, message: &[u8]) -> Result<(), Status> {
    checked(trap::<{ call::CHANNEL_SEND }, 3>([channel, ptr(message), len(message)])).map(drop)
}

/// Opens an export of a session to another system.
pub fn export_session(session: u32, target: &[u8]) -> Result<u32, Status> {
    checked(trap::<{ call::EXPORT_SESSION }, 3>([session, ptr(target), len(target)]))
}

/// Takes over content that another system exported, and gives its session.
pub fn import_session(offer: &[u8]) -> Result<u32, Status> {
    checked(trap::<{ call::IMPORT_SESSION }, 2>([ptr(offer), len(offer)]))
}

/// Resets the card in a slot and gives its answer to reset.
pub fn card_reset(slot: u32) -> Result<Vec<u8>, Status> {
    let mut out = zeroed(64)?;
    let got = checked(trap::<{ call::CARD_RESET }, 3>([slot, ptr_mut(&mut out), 64]))?;
    out.truncate(got as usize);
    Ok(out)
}

/// One command to the card; the answer ends with SW1 and SW2. `room` is the longest answer.
pub fn card_apdu(slot: u32, command: &[u8], room: u32) -> Result<Vec<u8>, Status> {
    let mut out = zeroed(room)?;
    let args = [slot, ptr(command), len(command), ptr_mut(&mut out), room];
    let got = checked(trap::<{ call::CARD_APDU }, 5>(args))?;
    out.truncate(got as usize);
    Ok(out)
}

/// A little-endian word and what follows it.
fn word(octets: &[u8]) -> Result<(u32, &[u8]), Status> {
    let (word, rest) = octets.split_first_chunk::<4>().ok_or(Status(status::MALFORMED))?;
    Ok((u32::from_le_bytes(*word), rest))
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
