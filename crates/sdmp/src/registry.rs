//! Which CA vendor has which Vendor_SysID, and to whom its deliveries are sealed.

use std::path::Path;

use portcullis_types::VendorSysId;
use portcullis_vault::{Recipient, write_public};
use serde::{Deserialize, Serialize};

use crate::SdmpError;

/// Vendors that one SDMP serves.
pub const MAX_VENDORS: usize = 1024;

/// Longest vendor name.
const MAX_NAME: usize = 32;

/// One allocation of a Vendor_SysID (J.1032 6.1.3 a). Public.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    /// Its name here.
    pub name: String,
    /// Its number.
    pub vendor_sys_id: VendorSysId,
    /// age recipient of the vendor.
    pub recipient: String,
}

pub(crate) fn read(path: &Path) -> Result<Vec<Vendor>, SdmpError> {
    match std::fs::read(path) {
        Ok(text) => {
            serde_json::from_slice(&text).map_err(|_| SdmpError::bad(path, "a list of vendors"))
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(SdmpError::io(path, e)),
    }
}

/// Adds a vendor; without a wish it gets the lowest free number from 1.
pub(crate) fn allocate(
    path: &Path,
    name: &str,
    recipient: &Recipient,
    wish: Option<VendorSysId>,
) -> Result<VendorSysId, SdmpError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(legal) {
        return Err(SdmpError::VendorName);
    }
    let mut vendors = read(path)?;
    if vendors.iter().any(|vendor| vendor.name == name) {
        return Err(SdmpError::VendorNameTaken(name.to_owned()));
    }
    let taken = |id| vendors.iter().any(|vendor| vendor.vendor_sys_id == id);
    let vendor_sys_id = match wish {
        Some(id) if taken(id) || id.0 == 0 => return Err(SdmpError::VendorTaken(id)),
        Some(id) => id,
        None => {
            (1..=u16::MAX).map(VendorSysId).find(|id| !taken(*id)).ok_or(SdmpError::VendorsFull)?
        }
    };
    if vendors.len() >= MAX_VENDORS {
        return Err(SdmpError::VendorsFull);
    }
    let (name, recipient) = (name.to_owned(), recipient.to_string());
    vendors.push(Vendor { name, vendor_sys_id, recipient });
    let mut text = serde_json::to_vec_pretty(&vendors)
        .map_err(|_| SdmpError::bad(path, "a list of vendors"))?;
    text.push(b'\n');
    write_public(path, &text)?;
    Ok(vendor_sys_id)
}
