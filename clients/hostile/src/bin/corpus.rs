//! Programs that the rows of the threaded engine are chosen by (`cargo xtask rows`), in Rust:
//! slices, iterators, options and traits, as clients are written. Event Timer, parameter 0 says
//! which, parameter 1 how often; those in C are in `benches/guests/corpus/`.
#![no_std]
#![no_main]

use portcullis_sdk::{Client, client};

struct Corpus;

impl Client for Corpus {
    fn initialize() -> Self {
        Self
    }

    fn event(&mut self, _: u32, params: &[u32]) -> u32 {
        let (what, rounds) = (params[0], params[1]);
        PROGRAMS.get(what as usize).map_or(0, |program| program(rounds) | 1)
    }
}

client!(Corpus);

const PROGRAMS: [fn(u32) -> u32; 10] =
    [sorts, parser, hashes, fields, packets, permits, matrix, text, tree, shapes];

fn next_random(x: u32) -> u32 {
    x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)
}

fn filled<const N: usize>(mut seed: u32) -> [u8; N] {
    core::array::from_fn(|_| {
        seed = next_random(seed);
        (seed >> 24) as u8
    })
}

fn sum_of(octets: impl IntoIterator<Item = u8>) -> u32 {
    octets.into_iter().fold(1, |sum, octet| sum.wrapping_mul(31).wrapping_add(octet.into()))
}

fn sorts(rounds: u32) -> u32 {
    let mut sum = 0_u32;
    for round in 0..rounds {
        let mut x = round;
        let mut numbers: [u32; 120] = core::array::from_fn(|_| {
            x = next_random(x);
            x >> 8
        });
        numbers.sort_unstable();
        let at = numbers.binary_search(&x).unwrap_or_else(|at| at);
        let mut records: [(u8, u16); 40] =
            core::array::from_fn(|i| (numbers[i] as u8 & 7, numbers[i * 2] as u16));
        for i in 1..records.len() {
            let mut j = i;
            while j > 0 && records[j - 1] > records[j] {
                records.swap(j - 1, j);
                j -= 1;
            }
        }
        let least = records.iter().map(|(_, value)| u32::from(*value)).min().unwrap_or(0);
        sum = sum.wrapping_mul(7).wrapping_add(at as u32 ^ numbers[60] ^ least);
    }
    sum
}

#[derive(Debug)]
enum Refusal {
    Short,
    Tag(u8),
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Refusal> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(Refusal::Short)?;
        self.0 = rest;
        Ok(head)
    }

    fn octet(&mut self) -> Result<u8, Refusal> {
        Ok(self.take(1)?[0])
    }

    fn u16(&mut self) -> Result<u16, Refusal> {
        let octets = self.take(2)?;
        Ok(u16::from_be_bytes([octets[0], octets[1]]))
    }

    fn u32(&mut self) -> Result<u32, Refusal> {
        Ok(u32::from_be_bytes(self.take(4)?.try_into().map_err(|_| Refusal::Short)?))
    }
}

fn message(octets: &[u8]) -> Result<u32, Refusal> {
    let mut reader = Reader(octets);
    let mut sum = 0_u32;
    while !reader.0.is_empty() {
        let tag = reader.octet()? & 3;
        sum = sum.rotate_left(3)
            ^ match tag {
                0 => reader.octet()?.into(),
                1 => reader.u16()?.into(),
                2 => reader.u32()?,
                _ => {
                    let len = reader.octet()? & 15;
                    if len == 15 {
                        return Err(Refusal::Tag(len));
                    }
                    sum_of(reader.take(len.into())?.iter().copied())
                }
            };
    }
    Ok(sum)
}

fn parser(rounds: u32) -> u32 {
    let mut sum = 0_u32;
    for round in 0..rounds {
        let octets: [u8; 160] = filled(round);
        sum = sum.wrapping_add(match message(&octets) {
            Ok(value) => value,
            Err(Refusal::Short) => 1,
            Err(Refusal::Tag(tag)) => tag.into(),
        });
    }
    sum
}

fn hashes(rounds: u32) -> u32 {
    let mut state = [0x6A09_E667_u32, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A];
    let mut wide = 0xCBF2_9CE4_8422_2325_u64;
    let octets: [u8; 64] = filled(5);
    for round in 0..rounds {
        for word in octets.chunks_exact(4) {
            let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]) ^ round;
            state[0] = state[0].wrapping_add(word ^ state[1].rotate_right(7));
            state[1] = (state[1] ^ state[0]).rotate_left(12).wrapping_add(state[2]);
            state[2] = (state[2] & state[3] | !state[2] & state[0]).wrapping_mul(0x9E37_79B1);
            state.rotate_left(1);
            wide = (wide ^ u64::from(word)).wrapping_mul(0x100_0000_01B3).rotate_left(29);
        }
        let crc = octets.iter().fold(!0_u32, |mut crc, octet| {
            crc ^= u32::from(*octet) << 24;
            for _ in 0..8 {
                crc = if crc >> 31 == 1 { crc << 1 ^ 0x04C1_1DB7 } else { crc << 1 };
            }
            crc
        });
        state[3] ^= crc;
    }
    state.iter().fold(wide as u32 ^ (wide >> 32) as u32, |sum, word| sum.rotate_left(5) ^ word)
}

type Field = [u64; 5];

fn multiplied(a: &Field, b: &Field) -> Field {
    let mut wide = [0_u128; 5];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            let times = if i + j >= 5 { 19 } else { 1 };
            wide[(i + j) % 5] += u128::from(*x) * u128::from(*y) * times;
        }
    }
    let mut carry = 0;
    let mut to = wide.map(|limb| {
        let sum = limb + carry;
        carry = sum >> 51;
        sum as u64 & ((1 << 51) - 1)
    });
    to[0] += carry as u64 * 19;
    to
}

fn fields(rounds: u32) -> u32 {
    let (mut a, mut b) = ([1_u64 << 40, 2, 3 << 30, 4, 5 << 20], [9_u64, 8 << 33, 7, 6 << 44, 5]);
    for _ in 0..rounds {
        let product = multiplied(&a, &b);
        for i in 0..5 {
            a[i] = (b[i] + product[i]) & ((1 << 51) - 1);
        }
        b = product;
    }
    a.iter().chain(&b).fold(0, |sum, limb| sum ^ *limb as u32 ^ (*limb >> 32) as u32)
}

fn packets(rounds: u32) -> u32 {
    let mut sum = 0_u32;
    for round in 0..rounds {
        let mut packet: [u8; 188] = filled(round);
        packet[0] = 0x47;
        packet[3] = 0x30 | packet[3] & 15;
        packet[4] %= 100;
        let pid = u16::from_be_bytes([packet[1], packet[2]]) & 0x1FFF;
        let start = match packet[3] >> 4 & 3 {
            1 => 4,
            3 => 5 + usize::from(packet[4]),
            _ => 188,
        };
        if let Some(payload) = packet.get(start..) {
            let parity = payload.iter().fold(0, |parity, octet| parity ^ octet);
            let words = payload.chunks_exact(4);
            sum ^= sum_of(words.remainder().iter().copied());
            let words =
                words.map(|word| word.iter().fold(0, |w, octet| w << 8 | u32::from(*octet)));
            sum ^= words.fold(0, u32::wrapping_add);
            sum = sum.wrapping_add(parity.into());
        }
        let mut out = [0_u8; 188];
        for (to, (from, key)) in out.iter_mut().zip(packet.iter().zip(0_u8..)) {
            *to = from ^ key.wrapping_mul(7);
        }
        sum = sum.wrapping_add(u32::from(pid)) ^ u32::from(out[100]);
    }
    sum
}

fn permits(rounds: u32) -> u32 {
    let mut table = [0_u32; 64];
    let (mut sum, mut x) = (0_u32, 1);
    for _ in 0..rounds {
        for _ in 0..40 {
            x = next_random(x);
            let id = (x >> 21) as usize;
            match (x >> 19) & 3 {
                0 => table[id / 32] |= 1 << (id % 32),
                1 => table[id / 32] &= !(1 << (id % 32)),
                _ => sum += table.get(id / 32).map_or(0, |word| word >> (id % 32) & 1),
            }
        }
        sum = sum.wrapping_add(table.iter().map(|word| word.count_ones()).sum());
        let first = table.iter().position(|word| word.trailing_zeros() > 3);
        sum ^= first.unwrap_or(99) as u32;
    }
    sum
}

fn matrix(rounds: u32) -> u32 {
    let mut a = [[0_i32; 8]; 8];
    for (i, cell) in a.iter_mut().flatten().enumerate() {
        *cell = (i as i32 * 37) % 101 - 50;
    }
    for _ in 0..rounds {
        let mut product = [[0_i32; 8]; 8];
        for (row, to) in a.iter().zip(&mut product) {
            for (j, cell) in to.iter_mut().enumerate() {
                let sum: i32 = row.iter().zip(&a).map(|(x, row)| x.wrapping_mul(row[j])).sum();
                *cell = (sum >> 5).clamp(-500, 500);
            }
        }
        a = product;
        a[3][4] += 17;
    }
    a.iter().flatten().fold(0, |sum, cell| sum.rotate_left(3) ^ *cell as u32)
}

fn text(rounds: u32) -> u32 {
    const LINES: &str = "name=news;rating=12\nprice=250;currency=EUR\n\nlang=de;lang=en\nid=0x77";
    let mut sum = 0_u32;
    for round in 0..rounds {
        for (number, line) in LINES.lines().enumerate() {
            for pair in line.split(';') {
                let Some((key, value)) = pair.split_once('=') else { continue };
                let value = value.parse().unwrap_or(value.len() as u32);
                sum = sum.rotate_left(1) ^ sum_of(key.bytes()).wrapping_add(value);
            }
            sum += number as u32;
        }
        let (mut digits, mut rest, mut len) = ([0_u8; 10], round.wrapping_mul(9_176_543), 0);
        loop {
            digits[9 - len] = b'0' + (rest % 10) as u8;
            len += 1;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        let read =
            core::str::from_utf8(&digits[10 - len..]).ok().and_then(|s| s.parse::<u32>().ok());
        sum ^= read.unwrap_or(0);
        sum += LINES.chars().filter(|c| c.is_ascii_alphanumeric()).count() as u32;
    }
    sum
}

#[derive(Clone, Copy, Default)]
struct Node {
    key: u16,
    children: [Option<core::num::NonZeroU16>; 2],
}

fn tree(rounds: u32) -> u32 {
    let (mut sum, mut x) = (0_u32, 9);
    for _ in 0..rounds {
        let mut nodes = [Node::default(); 64];
        for new in 1..64_u16 {
            x = next_random(x);
            let key = (x >> 18) as u16;
            nodes[usize::from(new)].key = key;
            let mut at = 0;
            loop {
                let node = &mut nodes[at];
                let side = &mut node.children[usize::from(key >= node.key)];
                match side {
                    Some(next) => at = next.get().into(),
                    None => {
                        *side = core::num::NonZeroU16::new(new);
                        break;
                    }
                }
            }
        }
        let (mut stack, mut depth) = ([0_usize; 64], 1);
        while depth > 0 {
            depth -= 1;
            let node = nodes[stack[depth]];
            sum = sum.wrapping_mul(3).wrapping_add(node.key.into());
            for child in node.children.into_iter().flatten() {
                stack[depth] = child.get().into();
                depth += 1;
            }
        }
    }
    sum
}

trait Shape {
    fn area(&self) -> u32;
}

struct Square(u32);
struct Oblong(u32, u32);
struct Round(u32);

impl Shape for Square {
    fn area(&self) -> u32 {
        self.0 * self.0
    }
}

impl Shape for Oblong {
    fn area(&self) -> u32 {
        self.0 * self.1
    }
}

impl Shape for Round {
    fn area(&self) -> u32 {
        self.0 * self.0 * 355 / 113
    }
}

fn shapes(rounds: u32) -> u32 {
    let mut sum = 0_u32;
    for round in 0..rounds {
        let side = round & 63;
        let all: [&dyn Shape; 5] = [
            &Square(side),
            &Oblong(side, 7),
            &Round(side + 1),
            &Oblong(3, side),
            &Square(side / 3),
        ];
        let most = all.iter().map(|shape| shape.area()).max().unwrap_or(0);
        let all = all.iter().map(|shape| shape.area()).fold(0, u32::wrapping_add);
        sum = sum.wrapping_add(most).rotate_left(2) ^ all;
    }
    sum
}
