//! Which instruction a place in compiled code belongs to: one octet for each instruction.

/// An octet that says so much, and that the next one goes on.
const MORE: u8 = u8::MAX;

/// How many octets of code each instruction of a row became.
#[derive(Debug)]
pub(crate) struct Lengths(Box<[u8]>);

impl Lengths {
    /// From where each begins; the first begins at 0. How long the last one is nobody asks.
    pub(crate) fn new(starts: impl Iterator<Item = u32>) -> Self {
        let mut lengths = Vec::new();
        let mut before = 0;
        for start in starts.skip(1) {
            let mut length = start - before;
            before = start;
            while length >= MORE.into() {
                lengths.push(MORE);
                length -= u32::from(MORE);
            }
            lengths.push(length as u8);
        }
        Self(lengths.into_boxed_slice())
    }

    /// The last instruction that begins at this place or before it.
    pub(crate) fn at(&self, place: u32) -> usize {
        let (mut index, mut start) = (0, 0);
        for length in &self.0 {
            start += u32::from(*length);
            if start > place {
                break;
            }
            index += usize::from(*length != MORE);
        }
        index
    }

    /// Octets that they take.
    pub(crate) const fn octets(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_belongs_to_the_instruction_that_began_last() {
        // None, short, at the edge of an octet and beyond.
        let starts = [0, 0, 3, 257, 512, 513, 1023, 1024, 1534, 2300, 2301];
        let lengths = Lengths::new(starts.into_iter());
        for place in 0..2500 {
            let began = starts.partition_point(|start| *start <= place) - 1;
            assert_eq!(lengths.at(place), began, "{place}");
        }
    }
}
