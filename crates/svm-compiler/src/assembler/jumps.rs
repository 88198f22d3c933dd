//! What goes elsewhere, and labels.

use super::{Assembler, Condition, Host, Label, Place, Width};

impl Assembler {
    pub(crate) fn ret(&mut self) {
        self.code.push(0xC3);
    }

    pub(crate) fn jump(&mut self, to: Label) {
        self.code.push(0xE9);
        self.distance(to);
    }

    pub(crate) fn jump_if(&mut self, condition: Condition, to: Label) {
        self.bytes(&[0x0F, 0x80 | condition as u8]);
        self.distance(to);
    }

    fn distance(&mut self, to: Label) {
        let here = self.here();
        self.fixups.push((here, to));
        self.bytes(&[0; 4]);
    }

    /// To a place in front of this buffer or in it, counted from its start.
    pub(crate) fn jump_far(&mut self, offset: i64) {
        self.code.push(0xE9);
        let from = i64::from(self.here()) + 4;
        self.bytes(&((offset - from) as i32).to_le_bytes());
    }

    pub(crate) fn jump_far_if(&mut self, condition: Condition, offset: i64) {
        self.bytes(&[0x0F, 0x80 | condition as u8]);
        let from = i64::from(self.here()) + 4;
        self.bytes(&((offset - from) as i32).to_le_bytes());
    }

    pub(crate) fn jump_to(&mut self, host: Host) {
        self.encode(Width::Word, &[0xFF], 4, Place::Register(host));
    }

    /// To the address in memory, `index` times 8 from a base.
    pub(crate) fn jump_table(&mut self, base: Host, index: Host, displacement: i32) {
        let rex = 0x40 | (index.0 >> 3 & 1) << 1 | base.0 >> 3 & 1;
        self.bytes(&[rex, 0xFF, 0xA4, 0xC0 | (index.0 & 7) << 3 | base.0 & 7]);
        self.bytes(&displacement.to_le_bytes());
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

    pub(crate) fn bind(&mut self, label: Label) {
        let here = self.here();
        if let Some(place) = self.labels.get_mut(label.0 as usize) {
            *place = Some(here);
        }
    }
}
