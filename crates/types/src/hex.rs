//! Hexadecimal as the command lines accept it: `0x..` for numbers, bare hex for byte strings.

use core::fmt;

/// What is wrong with a piece of hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HexError {
    /// The character at this offset is no hexadecimal digit.
    NotADigit(usize),
    /// There is an odd number of digits.
    OddLength,
    /// So many octets were expected, so many given.
    Length {
        /// Octets wanted.
        expected: usize,
        /// Octets there.
        found: usize,
    },
    /// The number does not fit.
    TooLarge,
}

impl fmt::Display for HexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotADigit(at) => write!(f, "not a hexadecimal digit at offset {at}"),
            Self::OddLength => f.write_str("odd number of hexadecimal digits"),
            Self::Length { expected, found } => {
                write!(f, "{expected} octets expected, {found} given")
            }
            Self::TooLarge => f.write_str("number too large"),
        }
    }
}

impl core::error::Error for HexError {}

/// Decodes bare hex into `out` and returns how many octets there were.
///
/// # Errors
/// [`HexError`] when a character is no digit, the length is odd, or `out` is too short.
pub fn decode_hex(text: &str, out: &mut [u8]) -> Result<usize, HexError> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return Err(HexError::OddLength);
    }
    let found = digits.len() / 2;
    if found > out.len() {
        return Err(HexError::Length { expected: out.len(), found });
    }
    for (i, (pair, octet)) in digits.chunks_exact(2).zip(out.iter_mut()).enumerate() {
        *octet = digit(pair[0]).ok_or(HexError::NotADigit(2 * i))? << 4
            | digit(pair[1]).ok_or(HexError::NotADigit(2 * i + 1))?;
    }
    Ok(found)
}

/// Decodes bare hex of exactly `N` octets.
///
/// # Errors
/// [`HexError`] when the text is not exactly `2 * N` digits.
pub fn parse_hex_array<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let mut out = [0; N];
    match decode_hex(text, &mut out)? {
        found if found == N => Ok(out),
        found => Err(HexError::Length { expected: N, found }),
    }
}

/// A number: `0x..` hexadecimal or plain decimal.
///
/// # Errors
/// [`HexError`] when the text is neither, or does not fit 32 bits.
pub fn parse_u32(text: &str) -> Result<u32, HexError> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(rest) => (rest, 16),
        None => (text, 10),
    };
    if let Some(at) = digits.bytes().position(|c| !(c as char).is_digit(radix)) {
        return Err(HexError::NotADigit(text.len() - digits.len() + at));
    }
    u32::from_str_radix(digits, radix).map_err(|_| HexError::TooLarge)
}

const fn digit(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        b'A'..=b'F' => Some(c - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_and_numbers_parse() {
        assert_eq!(parse_hex_array::<2>("2a42"), Ok([0x2A, 0x42]));
        assert_eq!(parse_hex_array::<2>("2a4"), Err(HexError::OddLength));
        assert_eq!(parse_hex_array::<2>("2a"), Err(HexError::Length { expected: 2, found: 1 }));
        assert_eq!(parse_hex_array::<2>("2azz"), Err(HexError::NotADigit(2)));
        assert_eq!(parse_u32("0x00000001"), Ok(1));
        assert_eq!(parse_u32("17"), Ok(17));
        assert_eq!(parse_u32("0x1_0"), Err(HexError::NotADigit(3)));
        assert_eq!(parse_u32("0x100000000"), Err(HexError::TooLarge));
    }
}
