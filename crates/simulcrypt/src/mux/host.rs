//! What every connection of the MUX shares, and what each may use.

use portcullis_types::{DataChannelId, DataId, EmmgClientId, Milliseconds};

use crate::emmg::EmmgStatus;

/// What a connection asks of the MUX that all connections share.
pub trait MuxHost {
    /// Takes a channel of a client.
    ///
    /// # Errors
    /// [`EmmgStatus`].
    fn open_channel(
        &mut self,
        client: EmmgClientId,
        channel: DataChannelId,
    ) -> Result<(), EmmgStatus>;

    /// Frees a channel.
    fn close_channel(&mut self, client: EmmgClientId, channel: DataChannelId);

    /// Takes a stream.
    ///
    /// # Errors
    /// [`EmmgStatus`].
    fn open_stream(&mut self, client: EmmgClientId, data_id: DataId) -> Result<(), EmmgStatus>;

    /// Frees a stream and its bandwidth.
    fn close_stream(&mut self, client: EmmgClientId, data_id: DataId);

    /// Grants bandwidth in kbit/s, perhaps less than asked; `None` asks what is granted now.
    fn allocate(&mut self, client: EmmgClientId, data_id: DataId, asked: Option<u16>) -> u16;

    /// Takes checked sections, in order.
    fn sections(&mut self, client: EmmgClientId, data_id: DataId, sections: Vec<Vec<u8>>);
}

/// Limits of one connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ServerLimits {
    /// Bad messages in a row before the connection is closed.
    pub bad_messages: u32,
    /// Streams on the channel.
    pub streams: usize,
    /// Octets of one section.
    pub section: usize,
    /// How long a connection may stay without a channel.
    pub setup_time: Milliseconds,
    /// How long a stream may exceed its bandwidth before it is told so.
    pub burst: Milliseconds,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            bad_messages: 16,
            streams: 16,
            section: 4096,
            setup_time: Milliseconds(30_000),
            burst: Milliseconds(2_000),
        }
    }
}
