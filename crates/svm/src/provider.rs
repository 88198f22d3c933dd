//! The functions of security providers that stand in for native calls, by call id.
//!
//! Clause: X.1198 7 (provider API). A look-up is one index, or one comparison where no provider
//! came.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::abi::SYSCALL_IDS;
use crate::syscall::ProviderFunction;

/// A provider's function and how many arguments it pops.
pub(crate) struct Provider {
    pub(crate) arguments: u8,
    pub(crate) function: ProviderFunction,
}

/// Empty until the first provider comes.
#[derive(Default)]
pub(crate) struct Providers {
    /// For each call id 0, or 1 more than the place of its provider.
    places: Option<Box<[u16; SYSCALL_IDS]>>,
    list: Vec<Provider>,
}

impl Providers {
    /// The last one set for a call counts.
    pub(crate) fn set(&mut self, id: u16, provider: Provider) {
        let places = self.places.get_or_insert_with(|| Box::new([0; SYSCALL_IDS]));
        let Some(place) = places.get_mut(usize::from(id)) else { return };
        match usize::from(*place).checked_sub(1).and_then(|at| self.list.get_mut(at)) {
            Some(known) => *known = provider,
            None => {
                self.list.push(provider);
                // No more than there are ids.
                *place = self.list.len() as u16;
            }
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn get(&mut self, id: u16) -> Option<&mut Provider> {
        let place = *self.places.as_ref()?.get(usize::from(id))?;
        self.list.get_mut(usize::from(place).checked_sub(1)?)
    }

    /// Every call that a provider answers and how many arguments it pops, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u16, u8)> {
        let places = self.places.iter().flat_map(|places| (0..).zip(places.iter()));
        places.filter_map(|(id, place)| {
            let provider = self.list.get(usize::from(*place).checked_sub(1)?)?;
            Some((id, provider.arguments))
        })
    }
}
