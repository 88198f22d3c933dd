//! error_status as a type per interface: the same number means other things on another one.

macro_rules! statuses {
    ($(#[$doc:meta])* $status:ident { $($name:ident = $code:literal, $meaning:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum $status {
            $(#[doc = $meaning] $name,)*
            /// A code that the standard does not define.
            Other(u16),
        }

        impl $status {
            /// The number on the wire.
            #[must_use]
            pub const fn code(self) -> u16 {
                match self {
                    $(Self::$name => $code,)*
                    Self::Other(code) => code,
                }
            }

            /// The status of a number.
            #[must_use]
            pub const fn from_code(code: u16) -> Self {
                match code {
                    $($code => Self::$name,)*
                    other => Self::Other(other),
                }
            }

            /// What it means, in words.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning,)*
                    Self::Other(_) => "user defined or unknown",
                }
            }
        }

        impl core::fmt::Display for $status {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "error_status 0x{:04x} ({})", self.code(), self.meaning())
            }
        }
    };
}

pub(crate) use statuses;
