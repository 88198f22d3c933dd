//! The published clients: every `*.odci` in `operator/centre/`, matched to CA systems by the
//! supplier and client id in its head. The newest version of a client is the one offered.
//!
//! The centre does not vouch for images: their signatures do, at the terminal. It reads the head
//! only, and the hash it announces is of the octets it will send.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use portcullis_crypto::{Zeroizing, sha256};
use portcullis_download::{CdcsInformation, ImageKeyGrant, server::Catalogue};
use portcullis_headend::layout::DataDir;
use portcullis_types::{CaSystemId, ScpClientId, SuperScpId};
use portcullis_vault::Party;

/// Files looked at in the directory.
const MAX_FILES: usize = 256;
/// Octets of an image.
const MAX_IMAGE: u64 = 4 * 1024 * 1024;

/// The catalogue; looks at the directory again whenever it is asked.
pub struct PublishedClients {
    data: DataDir,
    /// Opens the keys of encrypted images.
    operator: Party,
    cache: Mutex<BTreeMap<PathBuf, Entry>>,
}

#[derive(Clone)]
struct Entry {
    modified: SystemTime,
    length: u64,
    head: Head,
    sha256: [u8; 32],
    image: Arc<Vec<u8>>,
}

#[derive(Clone, Copy)]
struct Head {
    super_scp_id: SuperScpId,
    client_id: ScpClientId,
    version: u32,
    /// When the image is encrypted.
    image_key_id: Option<[u8; 16]>,
}

impl PublishedClients {
    /// The catalogue of a data directory, and its operator.
    #[must_use]
    pub const fn new(data: DataDir, operator: Party) -> Self {
        Self { data, operator, cache: Mutex::new(BTreeMap::new()) }
    }

    /// The image with a hash, if it is published.
    #[must_use]
    pub fn image(&self, sha256: &[u8; 32]) -> Option<Arc<Vec<u8>>> {
        self.entries().into_iter().find(|entry| entry.sha256 == *sha256).map(|entry| entry.image)
    }

    fn entries(&self) -> Vec<Entry> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let mut fresh = BTreeMap::new();
        let files = fs::read_dir(self.data.centre()).into_iter().flatten().flatten();
        for file in files.take(MAX_FILES) {
            let path = file.path();
            if path.extension().is_none_or(|extension| extension != "odci") {
                continue;
            }
            let Ok(metadata) = file.metadata() else { continue };
            let Ok(modified) = metadata.modified() else { continue };
            let known = cache
                .remove(&path)
                .filter(|entry| entry.modified == modified && entry.length == metadata.len());
            match known.or_else(|| read(&path, modified)) {
                Some(entry) => {
                    fresh.insert(path, entry);
                }
                None => tracing::warn!("{}: not a client image", path.display()),
            }
        }
        *cache = fresh;
        cache.values().cloned().collect()
    }
}

impl Catalogue for PublishedClients {
    fn client(&self, ca_system_id: CaSystemId) -> Option<CdcsInformation> {
        let systems = self.data.ca_systems().ok()?;
        let system = systems.iter().find(|s| s.description.ca_system_id == ca_system_id)?;
        let wanted = (system.description.super_scp_id, system.description.client_id);
        let entry = self
            .entries()
            .into_iter()
            .filter(|entry| (entry.head.super_scp_id, entry.head.client_id) == wanted)
            .max_by_key(|entry| entry.head.version)?;
        Some(CdcsInformation {
            ca_system_id,
            vendor: system.vendor.clone(),
            super_scp_id: entry.head.super_scp_id,
            client_id: entry.head.client_id,
            version: entry.head.version,
            size: entry.length,
            sha256: entry.sha256,
        })
    }

    fn image_key(&self, cdcs: &CdcsInformation) -> Option<ImageKeyGrant> {
        let entry = self.entries().into_iter().find(|entry| entry.sha256 == cdcs.sha256)?;
        let id = entry.head.image_key_id?;
        let key = self.operator.open_file(&DataDir::image_key_file(&id)).ok();
        let key = key.and_then(|key| <[u8; 32]>::try_from(key.as_slice()).ok());
        if key.is_none() {
            tracing::info!("no key for the image of {} {}", cdcs.vendor, cdcs.version);
        }
        Some(ImageKeyGrant { id, key: Zeroizing::new(key?) })
    }
}

fn read(path: &Path, modified: SystemTime) -> Option<Entry> {
    let mut image = Vec::new();
    fs::File::open(path).ok()?.take(MAX_IMAGE + 1).read_to_end(&mut image).ok()?;
    let length = image.len() as u64;
    if length > MAX_IMAGE {
        return None;
    }
    let head = head(&image)?;
    Some(Entry { modified, length, head, sha256: sha256(&[&image]), image: Arc::new(image) })
}

/// Magic 4, format 2, flags 2, Super SCP ID 4, client id 4, version 4; key id 16 at offset 74.
fn head(image: &[u8]) -> Option<Head> {
    let rest = image.strip_prefix(b"ODCI")?;
    let ([_, _, _, flags], rest) = rest.split_first_chunk::<4>()?;
    let encrypted = flags & 1 != 0;
    let (super_scp_id, rest) = rest.split_first_chunk::<4>()?;
    let (client_id, rest) = rest.split_first_chunk::<4>()?;
    let (version, _) = rest.split_first_chunk::<4>()?;
    Some(Head {
        super_scp_id: SuperScpId(u32::from_be_bytes(*super_scp_id)),
        client_id: ScpClientId(u32::from_be_bytes(*client_id)),
        version: u32::from_be_bytes(*version),
        image_key_id: image.get(74..).and_then(<[u8]>::first_chunk).copied().filter(|_| encrypted),
    })
}
