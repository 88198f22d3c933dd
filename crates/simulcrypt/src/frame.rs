//! Cuts a byte stream into messages. TCP may split and join them at will.

/// Collects bytes and hands out whole messages.
#[derive(Debug, Default)]
pub struct FrameReader {
    buffer: Vec<u8>,
    start: usize,
    limit: usize,
}

/// A message longer than the receiver's limit announces itself; the stream cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("message of {len} octets, the limit is {limit}")]
pub struct FrameTooLong {
    /// Octets announced, header included.
    pub len: usize,
    /// The limit.
    pub limit: usize,
}

impl FrameReader {
    /// A reader for messages of up to `limit` octets, never more than [`MAX_MESSAGE`].
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, limit: limit.min(MAX_MESSAGE) }
    }

    /// Adds received bytes.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.compact();
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, header included, or `None` until more bytes come.
    ///
    /// # Errors
    /// [`FrameTooLong`]; the caller says so to the peer and ends the connection.
    pub fn next_frame(&mut self) -> Result<Option<&[u8]>, FrameTooLong> {
        let rest = self.buffer.get(self.start..).unwrap_or(&[]);
        let Some(&[_, _, _, high, low]) = rest.first_chunk() else {
            return Ok(None);
        };
        let len = HEADER + usize::from(u16::from_be_bytes([high, low]));
        if len > self.limit {
            return Err(FrameTooLong { len, limit: self.limit });
        }
        if rest.len() < len {
            return Ok(None);
        }
        let from = self.start;
        self.start += len;
        Ok(self.buffer.get(from..self.start))
    }

    /// Octets held that are not handed out yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.buffer.len().saturating_sub(self.start)
    }

    /// Drops what has been handed out, so that the buffer stays within one message and one read.
    fn compact(&mut self) {
        if self.start >= self.buffer.len() {
            self.buffer.clear();
        } else if self.start > 0 {
            self.buffer.drain(..self.start);
        }
        self.start = 0;
    }
}

const HEADER: usize = 5;

/// The longest message: a 5-octet header and 65,535 octets after it.
pub const MAX_MESSAGE: usize = HEADER + 0xFFFF;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn messages_come_out_whole_however_they_arrive() {
        let stream: Vec<u8> =
            [&[3, 0, 1, 0, 2, 9, 9][..], &[3, 0, 2, 0, 0], &[3, 0, 3, 0, 1, 7]].concat();
        for step in 1..stream.len() {
            let mut reader = FrameReader::new(MAX_MESSAGE);
            let mut frames = Vec::new();
            for piece in stream.chunks(step) {
                reader.extend(piece);
                while let Some(frame) = reader.next_frame().unwrap() {
                    frames.push(frame.to_vec());
                }
            }
            assert_eq!(frames.concat(), stream);
            assert_eq!(frames.len(), 3);
            assert_eq!(reader.pending(), 0);
        }
    }

    #[test]
    fn a_limit_is_a_limit() {
        let mut reader = FrameReader::new(100);
        reader.extend(&[3, 0, 1, 0, 96]);
        assert_eq!(reader.next_frame(), Err(FrameTooLong { len: 101, limit: 100 }));
    }
}
