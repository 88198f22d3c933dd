//! Where everything stands in a data directory.
//!
//! One module for all roles of program `portcullis`, so that a path is spelled once. Each party
//! (authority, SDMP, chip vendor, CA vendors, operator) has a directory of its own with its own
//! unlock key; a role opens only what it needs.
// spec: D-04

use std::io;
use std::path::{Path, PathBuf};

use portcullis_types::{CaSystemId, ChipId, ScpClientId, SuperCasId, SuperScpId, VendorSysId};
use serde::{Deserialize, Serialize};

/// A data directory, `--data D`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// The data directory at this path; nothing is read or made.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Trust Authority.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.root.join("authority")
    }

    /// Secure data management platform.
    #[must_use]
    pub fn sdmp(&self) -> PathBuf {
        self.root.join("sdmp")
    }

    /// The chip vendor.
    #[must_use]
    pub fn chip_vendor(&self) -> PathBuf {
        self.root.join("chip-vendor")
    }

    /// Directory of all CA vendors.
    #[must_use]
    pub fn ca_root(&self) -> PathBuf {
        self.root.join("ca")
    }

    /// One CA vendor, by its directory name.
    #[must_use]
    pub fn ca(&self, vendor: &str) -> PathBuf {
        self.ca_root().join(vendor)
    }

    /// The operator.
    #[must_use]
    pub fn operator(&self) -> PathBuf {
        self.root.join("operator")
    }

    /// The operator's database.
    #[must_use]
    pub fn operator_db(&self) -> PathBuf {
        self.operator().join("portcullis.sqlite")
    }

    /// What the centre publishes.
    #[must_use]
    pub fn centre(&self) -> PathBuf {
        self.operator().join("centre")
    }

    /// Name, in the operator's directory, of the sealed key of an encrypted client image.
    #[must_use]
    pub fn image_key_file(id: &[u8; 16]) -> String {
        format!("image-{:032x}.key.age", u128::from_be_bytes(*id))
    }

    /// Directory of all boxes.
    #[must_use]
    pub fn boxes(&self) -> PathBuf {
        self.root.join("boxes")
    }

    /// One box, by its name.
    #[must_use]
    pub fn terminal(&self, name: &str) -> PathBuf {
        self.boxes().join(name)
    }

    /// What is burnt into the chip of a box.
    #[must_use]
    pub fn otp(&self, name: &str) -> PathBuf {
        self.terminal(name).join("otp")
    }

    /// The flash of a box.
    #[must_use]
    pub fn flash(&self, name: &str) -> PathBuf {
        self.terminal(name).join("flash")
    }

    /// The description of a CA vendor's system.
    #[must_use]
    pub fn ca_description(&self, vendor: &str) -> PathBuf {
        self.ca(vendor).join("ca.json")
    }

    /// The file name, inside a CA vendor's directory, of one chip's SCKv.
    #[must_use]
    pub fn sckv_name(chip: ChipId) -> String {
        format!("sckv/{:016x}.age", chip.0)
    }

    /// All CA systems of this data directory, in order of their directory names.
    ///
    /// # Errors
    /// [`LayoutError`] when a description is missing or does not read.
    pub fn ca_systems(&self) -> Result<Vec<CaSystem>, LayoutError> {
        let root = self.ca_root();
        let entries = std::fs::read_dir(&root).map_err(|e| LayoutError::read(&root, e))?;
        let mut vendors = Vec::new();
        for entry in entries.take(MAX_CA_SYSTEMS) {
            let entry = entry.map_err(|e| LayoutError::read(&root, e))?;
            if let Ok(vendor) = entry.file_name().into_string()
                && self.ca_description(&vendor).is_file()
            {
                vendors.push(vendor);
            }
        }
        vendors.sort();
        vendors.iter().map(|vendor| self.ca_system(vendor)).collect()
    }

    /// One CA system.
    ///
    /// # Errors
    /// [`LayoutError`] when its description is missing or does not read.
    pub fn ca_system(&self, vendor: &str) -> Result<CaSystem, LayoutError> {
        let path = self.ca_description(vendor);
        let text = std::fs::read(&path).map_err(|e| LayoutError::read(&path, e))?;
        let description = serde_json::from_slice(&text)
            .map_err(|source| LayoutError::Description { path, source })?;
        Ok(CaSystem { vendor: vendor.to_owned(), description })
    }
}

/// A CA system and the directory name of its vendor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaSystem {
    /// Name of the directory under `ca/`; it also names the message layout.
    pub vendor: String,
    /// What `ca.json` says.
    pub description: CaDescription,
}

/// Contents of `ca.json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CaDescription {
    /// CA_system_id of its ECM, EMM and CA_descriptors.
    pub ca_system_id: CaSystemId,
    /// Super_CAS_id towards an SCS.
    pub super_cas_id: SuperCasId,
    /// Vendor_SysID that personalises root keys for this vendor.
    pub vendor_sys_id: VendorSysId,
    /// Super SCP ID of its client packages.
    pub super_scp_id: SuperScpId,
    /// SCP client ID of its client.
    pub client_id: ScpClientId,
    /// A name for people.
    pub name: String,
}

impl CaSystem {
    /// The two CA systems that `init` makes.
    #[must_use]
    pub fn defaults() -> [Self; 2] {
        let system =
            |vendor: &str, name: &str, ca, super_cas, vendor_sys, super_scp, client| Self {
                vendor: vendor.to_owned(),
                description: CaDescription {
                    ca_system_id: CaSystemId(ca),
                    super_cas_id: SuperCasId(super_cas),
                    vendor_sys_id: VendorSysId(vendor_sys),
                    super_scp_id: SuperScpId(super_scp),
                    client_id: ScpClientId(client),
                    name: name.to_owned(),
                },
            };
        [
            system("vendor-a", "Vendor A", 0x7A10, 0x7A10_0001, 0x0A01, 0xA001, 1),
            system("vendor-b", "Vendor B", 0x7B20, 0x7B20_0001, 0x0B02, 0xB002, 2),
        ]
    }
}

/// A data directory that does not read. The operator's fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// A file or directory that cannot be read.
    #[error("{path}: not readable (is this a data directory made by `portcullis init`?)")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A description that is not what it should be.
    #[error("{path}: no description of a CA system")]
    Description {
        /// Which.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

impl LayoutError {
    fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }
}

/// CA systems that one headend serves at most.
pub const MAX_CA_SYSTEMS: usize = 64;
