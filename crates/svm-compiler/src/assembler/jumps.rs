//! What goes elsewhere, and labels.

use super::shorten::Jump;
use super::{Assembler, Condition, Host, Label, Place, Width};

impl Assembler {
    pub(crate) fn ret(&mut self) {
        self.code.push(0xC3);
    }

    pub(crate) fn jump(&mut self, to: Label) {
        let at = self.here();
        self.bytes(&[0xE9, 0, 0, 0, 0]);
        self.jumps.push(Jump { at, long: 5, to });
    }

    pub(crate) fn jump_if(&mut self, condition: Condition, to: Label) {
        let at = self.here();
        self.bytes(&[0x0F, 0x80 | condition as u8, 0, 0, 0, 0]);
        self.jumps.push(Jump { at, long: 6, to });
    }

    /// To a place in front of this buffer, counted from its start.
    pub(crate) fn jump_far(&mut self, offset: i64) {
        self.code.push(0xE9);
        self.far(offset);
    }

    pub(crate) fn jump_far_if(&mut self, condition: Condition, offset: i64) {
        self.bytes(&[0x0F, 0x80 | condition as u8]);
        self.far(offset);
    }

    fn far(&mut self, offset: i64) {
        self.far.push((self.here(), offset));
        self.bytes(&[0; 4]);
    }

    pub(crate) fn jump_to(&mut self, host: Host) {
        self.encode(Width::Word, &[0xFF], 4, Place::Register(host));
    }

    pub(crate) fn push(&mut self, host: Host) {
        if host.0 >= 8 {
            self.code.push(0x41);
        }
        self.code.push(0x50 | host.0 & 7);
    }

    pub(crate) fn pop(&mut self, host: Host) {
        if host.0 >= 8 {
            self.code.push(0x41);
        }
        self.code.push(0x58 | host.0 & 7);
    }

    pub(crate) fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() as u32 - 1)
    }

    /// Where a label is, so far.
    pub(crate) fn place(&self, label: Label) -> Option<u32> {
        self.labels.get(label.0 as usize).copied().flatten()
    }

    pub(crate) fn bind(&mut self, label: Label) {
        let here = self.here();
        if let Some(place) = self.labels.get_mut(label.0 as usize) {
            *place = Some(here);
        }
    }
}
