//! A chip and a disk on one power supply that goes off at the n-th operation.
//!
//! After the cut the disk comes back in every way the promises of a file system allow: names
//! durable or as last seen, contents durable, as last seen, or torn.

#![allow(clippy::unwrap_used)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use portcullis_crypto::sha256;

use crate::disk::Disk;
use crate::error::SealerError;
use crate::sealed::Sealer;

/// Operations left before the power goes.
#[derive(Clone)]
pub(crate) struct Power(Rc<Cell<usize>>);

impl Power {
    pub(crate) fn new() -> Self {
        Self(Rc::new(Cell::new(usize::MAX)))
    }

    pub(crate) fn cut_after(&self, operations: usize) {
        self.0.set(operations);
    }

    pub(crate) fn is_off(&self) -> bool {
        self.0.get() == 0
    }

    fn draw(&self) -> bool {
        let left = self.0.get();
        if left != usize::MAX {
            self.0.set(left.saturating_sub(1));
        }
        left > 0
    }
}

/// How the disk looks after the power came back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aftermath {
    pub(crate) names_kept: bool,
    pub(crate) contents: Contents,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Contents {
    Durable,
    Kept,
    Torn,
}

pub(crate) const AFTERMATHS: [Aftermath; 6] = [
    Aftermath { names_kept: false, contents: Contents::Durable },
    Aftermath { names_kept: false, contents: Contents::Kept },
    Aftermath { names_kept: false, contents: Contents::Torn },
    Aftermath { names_kept: true, contents: Contents::Durable },
    Aftermath { names_kept: true, contents: Contents::Kept },
    Aftermath { names_kept: true, contents: Contents::Torn },
];

#[derive(Clone, Default)]
struct Inode {
    live: Vec<u8>,
    durable: Vec<u8>,
}

#[derive(Clone, Default)]
struct Files {
    inodes: Vec<Inode>,
    live: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
}

#[derive(Clone)]
pub(crate) struct TestDisk {
    power: Power,
    files: Rc<RefCell<Files>>,
}

impl TestDisk {
    pub(crate) fn new(power: &Power) -> Self {
        Self { power: power.clone(), files: Rc::default() }
    }

    /// A copy of the disk as it may look after a power cut now.
    pub(crate) fn after_cut(&self, power: &Power, how: Aftermath) -> Self {
        let files = self.files.borrow();
        let names = if how.names_kept { &files.live } else { &files.durable };
        let mut after = Files::default();
        for (path, inode) in names {
            let Inode { live, durable } = &files.inodes[*inode];
            let content = match how.contents {
                Contents::Durable => durable.clone(),
                Contents::Kept => live.clone(),
                Contents::Torn if live == durable => live.clone(),
                Contents::Torn => live[..live.len() / 2].to_vec(),
            };
            after.inodes.push(Inode { live: content.clone(), durable: content });
            after.live.insert(path.clone(), after.inodes.len() - 1);
        }
        after.durable = after.live.clone();
        Self { power: power.clone(), files: Rc::new(RefCell::new(after)) }
    }

    pub(crate) fn snapshot(&self) -> Self {
        Self {
            power: self.power.clone(),
            files: Rc::new(RefCell::new(self.files.borrow().clone())),
        }
    }

    pub(crate) fn edit(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut files = self.files.borrow_mut();
        let inode = files.live[path];
        change(&mut files.inodes[inode].live);
    }

    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.files.borrow().live.keys().cloned().collect()
    }

    fn powered(&self) -> io::Result<std::cell::RefMut<'_, Files>> {
        if self.power.draw() {
            Ok(self.files.borrow_mut())
        } else {
            Err(io::Error::other("power is off"))
        }
    }
}

impl Disk for TestDisk {
    fn read(&self, path: &Path, cap: usize) -> io::Result<Option<Vec<u8>>> {
        if self.power.is_off() {
            return Err(io::Error::other("power is off"));
        }
        let files = self.files.borrow();
        let content = files.live.get(path).map(|inode| files.inodes[*inode].live.clone());
        if content.as_ref().is_some_and(|content| content.len() > cap) {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        Ok(content)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut files = self.powered()?;
        let next = files.inodes.len();
        let inode = *files.live.entry(path.to_path_buf()).or_insert(next);
        if inode == next {
            files.inodes.push(Inode::default());
        }
        files.inodes[inode].live = bytes.to_vec();
        Ok(())
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        let mut files = self.powered()?;
        let inode = files.live[path];
        files.inodes[inode].durable = files.inodes[inode].live.clone();
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut files = self.powered()?;
        let inode = files.live.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.live.insert(to.to_path_buf(), inode);
        Ok(())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        let mut files = self.powered()?;
        files.durable = files.live.clone();
        Ok(())
    }

    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// A chip: a seal of its own, and counters that outlive a power cut.
#[derive(Clone)]
pub(crate) struct TestChip {
    number: u8,
    power: Power,
    counters: Rc<RefCell<BTreeMap<String, u64>>>,
}

impl TestChip {
    pub(crate) fn new(number: u8) -> Self {
        Self::powered_by(number, &Power::new())
    }

    pub(crate) fn powered_by(number: u8, power: &Power) -> Self {
        Self { number, power: power.clone(), counters: Rc::default() }
    }

    pub(crate) fn after_cut(&self, power: &Power) -> Self {
        let counters = Rc::new(RefCell::new(self.counters.borrow().clone()));
        Self { number: self.number, power: power.clone(), counters }
    }

    fn tag(&self, label: &str, plain: &[u8]) -> [u8; 32] {
        sha256(&[&[self.number], label.as_bytes(), b"\0", plain])
    }
}

impl Sealer for TestChip {
    fn seal(&mut self, label: &str, plain: &[u8]) -> Result<Vec<u8>, SealerError> {
        let mut sealed = self.tag(label, plain).to_vec();
        sealed.extend_from_slice(plain);
        Ok(sealed)
    }

    fn unseal(&mut self, label: &str, sealed: &[u8]) -> Result<Vec<u8>, SealerError> {
        let (tag, plain) = sealed.split_at_checked(32).ok_or(SealerError::Foreign)?;
        if self.tag(label, plain).as_slice() == tag {
            Ok(plain.to_vec())
        } else {
            Err(SealerError::Foreign)
        }
    }

    fn counter(&mut self, name: &str) -> Result<u64, SealerError> {
        Ok(self.counters.borrow().get(name).copied().unwrap_or(0))
    }

    fn raise_counter(&mut self, name: &str, to: u64) -> Result<(), SealerError> {
        if !self.power.draw() {
            return Err(SealerError::Gone("power is off".into()));
        }
        let mut counters = self.counters.borrow_mut();
        let value = counters.entry(name.to_owned()).or_insert(0);
        if to <= *value {
            return Err(SealerError::Refused("a counter only rises".into()));
        }
        *value = to;
        Ok(())
    }
}
