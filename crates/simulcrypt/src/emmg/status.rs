//! error_status of the EMMG/PDG-MUX interface.

use crate::status::statuses;

statuses! {
    /// error_status of the EMMG/PDG-MUX interface.
    EmmgStatus {
        InvalidMessage = 0x0001, "invalid message";
        UnsupportedVersion = 0x0002, "unsupported protocol version";
        UnknownMessage = 0x0003, "unknown message_type";
        MessageTooLong = 0x0004, "message too long";
        UnknownStream = 0x0005, "unknown data_stream_id";
        UnknownChannel = 0x0006, "unknown data_channel_id";
        TooManyChannels = 0x0007, "too many channels on this MUX";
        TooManyStreamsOnChannel = 0x0008, "too many data streams on this channel";
        TooManyStreams = 0x0009, "too many data streams on this MUX";
        UnknownParameter = 0x000A, "unknown parameter_type";
        WrongParameterLength = 0x000B, "wrong length of a parameter";
        MissingParameter = 0x000C, "missing mandatory parameter";
        InvalidValue = 0x000D, "invalid value of a parameter";
        UnknownClient = 0x000E, "unknown client_id";
        ExceededBandwidth = 0x000F, "exceeded bandwidth";
        UnknownDataId = 0x0010, "unknown data_id";
        ChannelInUse = 0x0011, "data_channel_id in use";
        StreamInUse = 0x0012, "data_stream_id in use";
        DataIdInUse = 0x0013, "data_id in use";
        ClientInUse = 0x0014, "client_id in use";
        Unknown = 0x7000, "unknown error";
        Unrecoverable = 0x7001, "unrecoverable error";
    }
}
