//! Version floors: the lowest version of a client that may still run, kept in chip counters.
//!
//! A floor in a file could be deleted with the file; a chip counter only rises (T-16). It rises
//! when a version has proved itself by running, not when it was installed.

use crate::error::StoreError;
use crate::sealed::{ClientName, Sealer};

/// Proof that a version is not below the floor. Made by [`VersionFloors::check`] only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewerThanFloor {
    version: u32,
}

impl NewerThanFloor {
    /// The version that was checked.
    #[must_use]
    pub const fn version(self) -> u32 {
        self.version
    }
}

/// The floors of all clients of one terminal.
#[derive(Clone, Copy, Default, Debug)]
pub struct VersionFloors;

impl VersionFloors {
    /// The floor of a client; 0 when none of its versions ever ran.
    ///
    /// # Errors
    /// [`StoreError::Chip`].
    pub fn floor<S: Sealer>(sealer: &mut S, client: ClientName) -> Result<u32, StoreError> {
        let value = sealer.counter(&name(client))?;
        // A counter above 32 bits can only be a chip fault; the highest floor is the safe reading.
        Ok(u32::try_from(value).unwrap_or(u32::MAX))
    }

    /// Refuses a version below the floor.
    ///
    /// # Errors
    /// [`StoreError::Rollback`], [`StoreError::Chip`].
    // spec: D-X11
    // defends: T-16
    pub fn check<S: Sealer>(
        sealer: &mut S,
        client: ClientName,
        offered: u32,
    ) -> Result<NewerThanFloor, StoreError> {
        let floor = Self::floor(sealer, client)?;
        if offered < floor {
            return Err(StoreError::Rollback { floor, offered });
        }
        Ok(NewerThanFloor { version: offered })
    }

    /// Raises the floor to a version that ran. Never lowers it.
    ///
    /// # Errors
    /// [`StoreError::Chip`].
    pub fn raise<S: Sealer>(
        sealer: &mut S,
        client: ClientName,
        proof: NewerThanFloor,
    ) -> Result<(), StoreError> {
        if u64::from(proof.version) > sealer.counter(&name(client))? {
            sealer.raise_counter(&name(client), u64::from(proof.version))?;
        }
        Ok(())
    }
}

fn name(client: ClientName) -> String {
    format!("version-floor-{}", client.file_name())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use portcullis_types::{ScpClientId, SuperScpId};

    use super::*;
    use crate::testing::TestChip;

    const CLIENT: ClientName =
        ClientName { super_scp_id: SuperScpId(0xA001), client_id: ScpClientId(1) };

    // spec-test: D-X11
    // attack-test: T-16
    #[test]
    fn an_older_version_is_refused_after_a_newer_one_ran() {
        let mut chip = TestChip::new(1);
        let old = VersionFloors::check(&mut chip, CLIENT, 3).unwrap();
        let new = VersionFloors::check(&mut chip, CLIENT, 4).unwrap();
        VersionFloors::raise(&mut chip, CLIENT, new).unwrap();
        assert!(matches!(
            VersionFloors::check(&mut chip, CLIENT, 3),
            Err(StoreError::Rollback { floor: 4, offered: 3 })
        ));
        // An old proof does not pull the floor down.
        VersionFloors::raise(&mut chip, CLIENT, old).unwrap();
        assert_eq!(VersionFloors::floor(&mut chip, CLIENT).unwrap(), 4);
    }

    #[test]
    fn another_supplier_with_the_same_client_id_has_its_own_floor() {
        let mut chip = TestChip::new(1);
        let proof = VersionFloors::check(&mut chip, CLIENT, 9).unwrap();
        VersionFloors::raise(&mut chip, CLIENT, proof).unwrap();
        let other = ClientName { super_scp_id: SuperScpId(0xB002), ..CLIENT };
        assert_eq!(VersionFloors::floor(&mut chip, other).unwrap(), 0);
    }
}
