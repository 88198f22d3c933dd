//! The event parameter buffer, as it is before and after the handler runs.
//!
//! Clause: X.1198 7.7. What must never happen: something of the event before is left in it.

use super::Client;
use crate::abi;
use crate::call::EventBuffer;
use crate::event::Event;

impl Client {
    /// Element 0 the event, element 1 the return value, then the parameters, then zeros.
    pub(super) fn fill_buffer(&mut self, event: Event, params: &[u32]) -> Option<()> {
        let EventBuffer { address, elements } = self.calls.buffer?;
        let place = self.machine.memory.words_mut(address, elements)?;
        let (first, rest) = place.split_first_chunk_mut::<{ abi::EVENT_BUFFER_MIN as usize }>()?;
        *first = [[0; 4]; _];
        let [number, _result, given @ ..] = first;
        *number = event.id().to_le_bytes();
        // Mostly there are few: a copy of any length would be a call.
        match (params, given) {
            ([], _) => {}
            ([only], [one, ..]) => *one = only.to_le_bytes(),
            ([a, b], [first, second, ..]) => {
                (*first, *second) = (a.to_le_bytes(), b.to_le_bytes());
            }
            (params, given) => {
                let given = given.get_mut(..params.len())?;
                for (element, value) in given.iter_mut().zip(params) {
                    *element = value.to_le_bytes();
                }
            }
        }
        if !rest.is_empty() {
            rest.fill([0; 4]);
        }
        Some(())
    }

    /// Element 1, when the handler has returned.
    pub(super) fn return_value(&self) -> Option<u32> {
        let address = self.calls.buffer?.address.checked_add(4)?;
        self.machine.memory.load(address).ok().map(u32::from_le_bytes)
    }
}
