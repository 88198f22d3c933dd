//! error_status of the ECMG-SCS interface.

use crate::status::statuses;

statuses! {
    /// error_status of the ECMG-SCS interface.
    EcmgStatus {
        InvalidMessage = 0x0001, "invalid message";
        UnsupportedVersion = 0x0002, "unsupported protocol version";
        UnknownMessage = 0x0003, "unknown message_type";
        MessageTooLong = 0x0004, "message too long";
        UnknownSuperCasId = 0x0005, "unknown Super_CAS_id";
        UnknownChannel = 0x0006, "unknown ECM_channel_id";
        UnknownStream = 0x0007, "unknown ECM_stream_id";
        TooManyChannels = 0x0008, "too many channels on this ECMG";
        TooManyStreamsOnChannel = 0x0009, "too many ECM streams on this channel";
        TooManyStreams = 0x000A, "too many ECM streams on this ECMG";
        NotEnoughControlWords = 0x000B, "not enough control words to compute the ECM";
        OutOfStorage = 0x000C, "ECMG out of storage";
        OutOfComputing = 0x000D, "ECMG out of computing resources";
        UnknownParameter = 0x000E, "unknown parameter_type";
        WrongParameterLength = 0x000F, "wrong length of a parameter";
        MissingParameter = 0x0010, "missing mandatory parameter";
        InvalidValue = 0x0011, "invalid value of a parameter";
        UnknownEcmId = 0x0012, "unknown ECM_id";
        ChannelInUse = 0x0013, "ECM_channel_id in use";
        StreamInUse = 0x0014, "ECM_stream_id in use";
        EcmIdInUse = 0x0015, "ECM_id in use";
        Unknown = 0x7000, "unknown error";
        Unrecoverable = 0x7001, "unrecoverable error";
    }
}
