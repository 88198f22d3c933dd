//! Units of time. SimulCrypt carries 100 ms and 1 ms fields in one message: two types.

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(transparent))]
        pub struct $name(pub $inner);
    };
}

unit!(
    /// Units of 100 ms, as in nominal_CP_duration.
    Deciseconds(u16));
unit!(
    /// Unsigned milliseconds, as in ECM_rep_period.
    Milliseconds(u32));
unit!(
    /// Signed milliseconds, as in delay_start.
    SignedMilliseconds(i32));
unit!(
    /// Whole seconds.
    Seconds(u64));
unit!(
    /// Seconds since 1970-01-01 00:00 UTC.
    UnixSeconds(u64));

impl Deciseconds {
    /// The same span in milliseconds.
    #[must_use]
    pub const fn to_milliseconds(self) -> Milliseconds {
        Milliseconds(self.0 as u32 * 100)
    }
}
