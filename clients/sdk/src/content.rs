//! The content of a Descramble event: packets on their way through a client that brings its own
//! algorithm (X.1198 6.3, 7.1).

use crate::abi::{CONTENT_HEAD, status, token};
use crate::{Status, sys};

/// Takes the content of the event, lets `descramble` work on each payload in place (with its PID),
/// and gives it back.
pub fn each(mut descramble: impl FnMut(u16, &mut [u8])) -> Result<(), Status> {
    let mut content = sys::get_token(token::CONTENT)?;
    let mut rest = content.as_mut_slice();
    while !rest.is_empty() {
        let malformed = Status(status::MALFORMED);
        let (head, body) = rest.split_at_mut_checked(CONTENT_HEAD as usize).ok_or(malformed)?;
        let &mut [pid_low, pid_high, len_low, len_high] = head else { return Err(malformed) };
        let len = usize::from(u16::from_le_bytes([len_low, len_high]));
        let (payload, after) = body.split_at_mut_checked(len).ok_or(malformed)?;
        descramble(u16::from_le_bytes([pid_low, pid_high]), payload);
        rest = after;
    }
    sys::put_content(&content)
}
