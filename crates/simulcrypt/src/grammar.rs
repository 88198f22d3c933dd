//! The grammar of a message as data: which parameter, how long, how often, in which versions.

use core::ops::RangeInclusive;

use crate::error::{CodecError, Fault};
use crate::message::Parameters;

/// What may stand in one message.
#[derive(Debug)]
pub struct MessageRule {
    /// message_type.
    pub kind: u16,
    /// The standard's name.
    pub name: &'static str,
    /// Its parameters. One parameter may have several rules for different versions.
    pub parameters: &'static [ParameterRule],
}

/// How one parameter may stand in one message.
#[derive(Debug)]
pub struct ParameterRule {
    /// parameter_type.
    pub kind: u16,
    /// Octets of the value.
    pub len: RangeInclusive<usize>,
    /// How often it stands.
    pub count: RangeInclusive<usize>,
    /// In which protocol versions this rule holds; in others the parameter is forbidden.
    pub versions: RangeInclusive<u8>,
    /// Which values are defined.
    pub values: Values,
}

/// Defined values of a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Values {
    /// All.
    Any,
    /// One octet up to this one.
    UpTo(u8),
}

impl ParameterRule {
    /// Exactly once, of a fixed length, in all versions.
    pub(crate) const fn one(kind: u16, len: usize) -> Self {
        Self { kind, len: len..=len, count: 1..=1, versions: 1..=5, values: Values::Any }
    }

    /// At most once, of a fixed length, in all versions.
    pub(crate) const fn optional(kind: u16, len: usize) -> Self {
        Self { kind, len: len..=len, count: 0..=1, versions: 1..=5, values: Values::Any }
    }

    pub(crate) const fn len(self, from: usize, to: usize) -> Self {
        Self { len: from..=to, ..self }
    }

    pub(crate) const fn count(self, from: usize, to: usize) -> Self {
        Self { count: from..=to, ..self }
    }

    pub(crate) const fn versions(self, from: u8, to: u8) -> Self {
        Self { versions: from..=to, ..self }
    }

    pub(crate) const fn up_to(self, value: u8) -> Self {
        Self { values: Values::UpTo(value), ..self }
    }
}

impl MessageRule {
    /// Holds the parameters of a message against the rule. Unknown parameters are skipped, as
    /// the standard asks.
    // spec: S-23 S-24
    pub(crate) fn check(&self, version: u8, parameters: Parameters<'_>) -> Result<(), CodecError> {
        let mut counts = [0usize; MAX_RULES];
        for parameter in parameters {
            let parameter = parameter?;
            let (kind, offset) = (parameter.kind, parameter.offset);
            let mut known = false;
            let mut found = None;
            for (rule, count) in self.parameters.iter().zip(&mut counts) {
                known |= rule.kind == kind;
                if rule.kind == kind && rule.versions.contains(&version) {
                    found = Some((rule, count));
                }
            }
            let Some((rule, count)) = found else {
                if known {
                    return Err(CodecError::new(offset, Fault::Forbidden(kind)));
                }
                continue;
            };
            *count += 1;
            if *count > *rule.count.end() {
                return Err(CodecError::new(offset, Fault::Repeated(kind)));
            }
            if !rule.len.contains(&parameter.value.len()) {
                return Err(CodecError::new(offset, Fault::Length(kind)));
            }
            match (rule.values, parameter.value) {
                (Values::UpTo(last), [value]) if value > &last => {
                    return Err(CodecError::new(offset, Fault::Value(kind)));
                }
                _ => {}
            }
        }
        for (rule, count) in self.parameters.iter().zip(counts) {
            if rule.versions.contains(&version) && count < *rule.count.start() {
                return Err(CodecError::new(HEADER, Fault::Missing(rule.kind)));
            }
        }
        Ok(())
    }
}

/// Rules that one message may have; checked for both tables by a test.
pub(crate) const MAX_RULES: usize = 20;

const HEADER: usize = 5;
