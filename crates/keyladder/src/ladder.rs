//! The three-level ladder, its binding to the usage rights, and challenge-response.
//!
//! Each level is a type, so that a level cannot be skipped: [`RootKey`] gives
//! `LadderKey<Level2>`, that gives `LadderKey<Level1>`, and only a `LadderKey<Bound>` gives a
//! [`ControlWord`]. The chip uses the `unwrap_*` side, the headend the `wrap_*` side.

use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use portcullis_crypto::{
    Aes128, Key128, Randomness, SHALLOW, Wiped, Zeroizing, aes128_decrypt_block,
    aes128_encrypt_block, hmac_sha256, leaving_no_trace, tdes2_decrypt_block, tdes2_encrypt_block,
};
use portcullis_types::ScramblingMode;

use crate::derivation::{RootKey, tdes_ecb};

/// The block cipher of a ladder session. Independent of the derivation profile.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum LadderAlgorithm {
    /// AES-128. The default.
    #[default]
    Aes,
    /// Two-key triple DES.
    Tdes,
}

/// A ladder algorithm name that does not exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown ladder algorithm (known: aes, tdes)")]
pub struct UnknownLadderAlgorithm;

impl LadderAlgorithm {
    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes => "aes",
            Self::Tdes => "tdes",
        }
    }

    fn unwrap(self, key: &Key128, block: [u8; 16]) -> [u8; 16] {
        match self {
            Self::Aes => aes128_decrypt_block(key, block),
            Self::Tdes => tdes_ecb(key, block, tdes2_decrypt_block),
        }
    }

    fn wrap(self, key: &Key128, block: [u8; 16]) -> [u8; 16] {
        match self {
            Self::Aes => aes128_encrypt_block(key, block),
            Self::Tdes => tdes_ecb(key, block, tdes2_encrypt_block),
        }
    }
}

impl fmt::Display for LadderAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for LadderAlgorithm {
    type Err = UnknownLadderAlgorithm;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        [Self::Aes, Self::Tdes].into_iter().find(|a| a.name() == s).ok_or(UnknownLadderAlgorithm)
    }
}

/// Level K2: the group key.
pub enum Level2 {}
/// Level K1: the key of a product and an epoch.
pub enum Level1 {}
/// K1 bound to usage rights and control-word class: the only level that opens control words.
pub enum Bound {}

/// A ladder key of one level. Not printable, not clonable, zeroised on drop.
///
/// ```compile_fail,E0599
/// # use portcullis_keyladder::*;
/// let k2 = LadderKey::<Level2>::new([0; 16]);
/// // A control word does not come from level 2.
/// let cw = k2.unwrap_cw(LadderAlgorithm::Aes, &[0; 16], ControlWordClass::Sixteen);
/// ```
pub struct LadderKey<Level> {
    key: Key128,
    level: PhantomData<Level>,
}

impl<Level> LadderKey<Level> {
    /// Takes the octets over.
    #[must_use]
    pub fn new(octets: [u8; 16]) -> Self {
        Self { key: Key128::new(octets), level: PhantomData }
    }

    /// A fresh random one.
    #[must_use]
    pub fn generate(fill: Randomness<'_>) -> Self {
        Self { key: Key128::generate(fill), level: PhantomData }
    }

    /// The octets. Only the headend's key store and the vector calculator need them.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; 16] {
        self.key.expose_secret()
    }

    pub(crate) fn key(&self) -> &Key128 {
        &self.key
    }
}

impl RootKey {
    /// K2 = D(K3, EK2).
    // spec: D-K5
    #[must_use]
    pub fn unwrap_k2(&self, algorithm: LadderAlgorithm, ek2: &[u8; 16]) -> LadderKey<Level2> {
        LadderKey::new(algorithm.unwrap(&self.0, *ek2))
    }

    /// EK2 = E(K3, K2).
    #[must_use]
    pub fn wrap_k2(&self, algorithm: LadderAlgorithm, k2: &LadderKey<Level2>) -> [u8; 16] {
        algorithm.wrap(&self.0, *k2.expose_secret())
    }
}

impl LadderKey<Level2> {
    /// K1 = D(K2, EK1).
    // spec: D-K5
    #[must_use]
    pub fn unwrap_k1(&self, algorithm: LadderAlgorithm, ek1: &[u8; 16]) -> LadderKey<Level1> {
        LadderKey::new(algorithm.unwrap(&self.key, *ek1))
    }

    /// EK1 = E(K2, K1).
    #[must_use]
    pub fn wrap_k1(&self, algorithm: LadderAlgorithm, k1: &LadderKey<Level1>) -> [u8; 16] {
        algorithm.wrap(&self.key, *k1.expose_secret())
    }

    /// A = D(K2, K2), the key of the challenge-response.
    #[must_use]
    pub fn challenge_key(&self, algorithm: LadderAlgorithm) -> Key128 {
        Key128::new(algorithm.unwrap(&self.key, *self.expose_secret()))
    }

    /// dnonce = D(A, nonce): the same on the chip and at the headend that checks it.
    // spec: D-K6
    #[must_use]
    pub fn challenge_response(&self, algorithm: LadderAlgorithm, nonce: &[u8; 16]) -> [u8; 16] {
        algorithm.unwrap(&self.challenge_key(algorithm), *nonce)
    }
}

impl LadderKey<Level1> {
    /// K1' = HMAC-SHA-256(K1, "URI1" || length || AD), cut to 128 bits. A changed usage right
    /// or control-word class gives another key, hence noise instead of a picture.
    // defends: T-05
    #[must_use]
    pub fn bind(&self, ad: &AssociatedData) -> LadderKey<Bound> {
        let octets = ad.as_bytes();
        // MAX_USAGE_RIGHTS keeps the length within 16 bits.
        let length = (octets.len() as u16).to_be_bytes();
        let mac = Zeroizing::new(hmac_sha256(self.expose_secret(), &[b"URI1", &length, octets]));
        let mut key = [0; 16];
        key.copy_from_slice(&mac[..16]);
        LadderKey::new(key)
    }

    /// K1 as it is, for plain K-LAD vectors. The chip never calls this.
    #[must_use]
    pub fn unbound(&self) -> LadderKey<Bound> {
        LadderKey::new(*self.expose_secret())
    }
}

impl LadderKey<Bound> {
    /// CW = D(K1', ECW). ECW has always 16 octets on the wire; a control word of class 8 takes
    /// the first block under TDES and is zero-padded on the right under AES.
    ///
    /// # Errors
    /// [`NotAControlWord`] when the padding is not zero: the key or the class is another one.
    // spec: D-K5
    pub fn unwrap_cw(
        &self,
        algorithm: LadderAlgorithm,
        ecw: &[u8; 16],
        class: ControlWordClass,
    ) -> Result<ControlWord, NotAControlWord> {
        let mut clear = Zeroizing::new(algorithm.unwrap(&self.key, *ecw));
        if class == ControlWordClass::Eight {
            if algorithm == LadderAlgorithm::Aes && clear[8..] != [0; 8] {
                return Err(NotAControlWord);
            }
            clear[8..].fill(0);
        }
        Ok(ControlWord { octets: Key128::new(*clear), class })
    }

    /// ECW = E(K1', CW), 16 octets.
    #[must_use]
    pub fn wrap_cw(&self, algorithm: LadderAlgorithm, cw: &ControlWord) -> [u8; 16] {
        let mut ecw = algorithm.wrap(&self.key, *cw.octets.expose_secret());
        if cw.class == ControlWordClass::Eight && algorithm == LadderAlgorithm::Tdes {
            ecw[8..].fill(0);
        }
        ecw
    }
}

/// A bound key whose schedule is kept, for the generator that wraps words with it period after
/// period.
pub struct WordWrapper(Wiped<Aes128>);

impl WordWrapper {
    /// Expands a key for [`LadderAlgorithm::Aes`].
    #[must_use]
    pub fn new(bound: &LadderKey<Bound>) -> Self {
        leaving_no_trace::<SHALLOW, _>(|| Self(Wiped::new(Aes128::new(&bound.key))))
    }

    /// ECW of both words, each as [`LadderKey::wrap_cw`] has it.
    #[must_use]
    pub fn wrap_cws(&self, words: [&ControlWord; 2]) -> [[u8; 16]; 2] {
        leaving_no_trace::<SHALLOW, _>(|| {
            let mut blocks = words.map(|word| *word.octets.expose_secret());
            self.0.encrypt_blocks(&mut blocks);
            blocks
        })
    }
}

/// How long a control word is; bound into the key so that one made for AES never loads as CSA.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ControlWordClass {
    /// 8 octets: DVB-CSA.
    Eight,
    /// 16 octets: the AES modes.
    Sixteen,
}

impl ControlWordClass {
    /// The class that a scrambling mode needs.
    #[must_use]
    pub const fn of(mode: ScramblingMode) -> Self {
        if mode.control_word_len() == 8 { Self::Eight } else { Self::Sixteen }
    }

    /// Octets in the control word, which is also the octet in the associated data.
    #[must_use]
    pub const fn octet(self) -> u8 {
        match self {
            Self::Eight => 8,
            Self::Sixteen => 16,
        }
    }
}

/// The ladder gave no control word of the wanted class.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no control word of the wanted class came out of the ladder")]
pub struct NotAControlWord;

/// A control word. Not printable, not clonable, zeroised on drop.
pub struct ControlWord {
    octets: Key128,
    class: ControlWordClass,
}

impl ControlWord {
    /// A control word of 8 or 16 octets.
    ///
    /// # Errors
    /// [`NotAControlWord`] for any other length.
    pub fn new(octets: &[u8]) -> Result<Self, NotAControlWord> {
        let class = match octets.len() {
            8 => ControlWordClass::Eight,
            16 => ControlWordClass::Sixteen,
            _ => return Err(NotAControlWord),
        };
        let mut padded = Zeroizing::new([0; 16]);
        for (to, from) in padded.iter_mut().zip(octets) {
            *to = *from;
        }
        Ok(Self { octets: Key128::new(*padded), class })
    }

    /// Its class.
    #[must_use]
    pub const fn class(&self) -> ControlWordClass {
        self.class
    }

    /// The 8 or 16 octets, for the scrambler and the descrambler only.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        let octets: &[u8] = self.octets.expose_secret();
        octets.get(..usize::from(self.class.octet())).unwrap_or(octets)
    }
}

/// Octets of usage rights that can be bound.
pub const MAX_USAGE_RIGHTS: usize = 256;

/// More usage rights than can be bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{length} octets of usage rights, {MAX_USAGE_RIGHTS} can be bound")]
pub struct UsageRightsTooLong {
    /// Octets given.
    pub length: usize,
}

/// What is bound into K1: the canonical usage rights, then the control-word class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AssociatedData(Vec<u8>);

impl AssociatedData {
    /// Usage rights in their canonical TLV form and the class of the control words.
    ///
    /// # Errors
    /// [`UsageRightsTooLong`] above [`MAX_USAGE_RIGHTS`].
    pub fn new(usage_rights: &[u8], class: ControlWordClass) -> Result<Self, UsageRightsTooLong> {
        if usage_rights.len() > MAX_USAGE_RIGHTS {
            return Err(UsageRightsTooLong { length: usage_rights.len() });
        }
        let mut octets = Vec::with_capacity(usage_rights.len() + 1);
        octets.extend_from_slice(usage_rights);
        octets.push(class.octet());
        Ok(Self(octets))
    }

    /// The octets as they go into the key derivation.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
