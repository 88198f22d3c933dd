//! What the user is told, once for each change: a JSON object.

use alloc::string::String;
use alloc::vec::Vec;

use portcullis_messages::VALID_FOR_EVER;
use portcullis_sdk::sys;
use portcullis_types::{ProductId, UnixSeconds};

/// Most sessions that are remembered.
const MAX_SESSIONS: usize = 8;

/// What a session shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Entitled { product: ProductId, until: UnixSeconds },
    NotEntitled { product: ProductId },
    NotYet { product: ProductId },
    Expired { product: ProductId, until: UnixSeconds },
    NoKey { product: ProductId, until: UnixSeconds },
}

/// What each session showed last.
pub(crate) struct StatusBoard(Vec<(u32, Option<Shown>)>);

impl StatusBoard {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Tells the user, when it is news.
    pub(crate) fn show(&mut self, session: u32, shown: Shown) {
        let last = self.entry(session);
        if last.replace(shown) != Some(shown) {
            sys::client_status(&json(shown));
        }
    }

    /// The next thing a session shows is news.
    pub(crate) fn forget(&mut self, session: u32) {
        *self.entry(session) = None;
    }

    /// The sessions that play something, with the product.
    pub(crate) fn entitled(&self) -> Vec<(u32, ProductId)> {
        let playing = self.0.iter().filter_map(|(session, shown)| match shown {
            Some(Shown::Entitled { product, .. }) => Some((*session, *product)),
            _ => None,
        });
        playing.collect()
    }

    /// Every session that was seen.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().map(|(session, _)| *session)
    }

    fn entry(&mut self, session: u32) -> &mut Option<Shown> {
        let at = self.0.iter().position(|(known, _)| *known == session).unwrap_or_else(|| {
            if self.0.len() >= MAX_SESSIONS {
                self.0.remove(0);
            }
            self.0.push((session, None));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }
}

fn json(shown: Shown) -> String {
    let (state, product, until, reason) = match shown {
        Shown::Entitled { product, until } => ("entitled", product, Some(until), "entitled"),
        Shown::NotEntitled { product } => {
            ("not_entitled", product, None, "no entitlement for this product")
        }
        Shown::NotYet { product } => {
            ("not_entitled", product, None, "the entitlement has not begun")
        }
        Shown::Expired { product, until } => {
            ("expired", product, Some(until), "the entitlement has ended")
        }
        Shown::NoKey { product, until } => {
            ("no_key", product, Some(until), "the key of this epoch has not come")
        }
    };
    let mut out = String::from("{\"state\":\"");
    out.push_str(state);
    out.push_str("\",\"product\":");
    push_number(&mut out, product.0.into());
    out.push_str(",\"until\":");
    match until.filter(|until| *until != VALID_FOR_EVER) {
        Some(until) => push_number(&mut out, until.0),
        None => out.push_str("null"),
    }
    out.push_str(",\"reason\":\"");
    out.push_str(reason);
    out.push_str("\"}");
    out
}

/// Decimal, without the weight of the formatting machinery.
fn push_number(out: &mut String, number: u64) {
    if number >= 10 {
        push_number(out, number / 10);
    }
    out.push((b'0' + (number % 10) as u8) as char);
}
