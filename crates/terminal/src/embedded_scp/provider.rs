//! The provider API: what an external security provider gives a client that is loaded.
//!
//! Clause: X.1198 7 (provider API), 7.1 (on load the VM manager asks the provider for the globally
//! unique SCP id), 7.6 (a provider's function stands in for the native one). The policy monitor
//! decides before a provider's function as before a native one.
//!
//! What must never happen: a client that runs without an id; a provider's function that replaces
//! a call of the machine itself.

use portcullis_crypto::sha256;
use portcullis_store::ClientName;
use portcullis_svm::{Client, ProviderFunction, Syscall};

/// The globally unique id of a client.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ScpId(pub [u8; 32]);

impl std::fmt::Display for ScpId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A client as its verified package names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoadedClient {
    /// Supplier and client.
    pub name: ClientName,
    /// Its version.
    pub version: u32,
    /// SHA-256 of the certificate that signed it.
    pub series: [u8; 32],
}

/// A function of a provider.
pub struct ProvidedCall {
    /// The call it answers: one of the table, or one of the private range.
    pub call: Syscall,
    /// How many parameters a private call has; the table's number for one of the table.
    pub arguments: usize,
    /// The function.
    pub function: ProviderFunction,
}

/// A security provider.
pub trait Provider: Send + Sync {
    /// The globally unique id of a client that is loaded; `None` refuses the load.
    fn scp_id(&self, client: &LoadedClient) -> Option<ScpId>;

    /// The functions the client gets of this provider.
    fn functions(&self, client: &LoadedClient) -> Vec<ProvidedCall> {
        let _ = client;
        Vec::new()
    }
}

/// The terminal's own provider: ids, and no functions.
#[derive(Clone, Copy, Default, Debug)]
pub struct NativeProvider;

impl Provider for NativeProvider {
    /// The hash over the signer's certificate, supplier and client id. Certificates differ all
    /// over the world, so these ids do.
    fn scp_id(&self, client: &LoadedClient) -> Option<ScpId> {
        let ClientName { super_scp_id, client_id } = client.name;
        Some(ScpId(sha256(&[
            b"portcullis scp id 1",
            &client.series,
            &super_scp_id.0.to_be_bytes(),
            &client_id.0.to_be_bytes(),
        ])))
    }
}

/// Why a provider keeps a client from being loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProviderRefused {
    /// No globally unique id.
    #[error("the provider gives no SCP id for client {}", .0.file_name())]
    NoScpId(ClientName),
    /// A function for a call that it cannot replace, or with another number of parameters.
    #[error("the provider's function for {0} cannot stand in for it")]
    Function(Syscall),
}

/// Asks the provider for id and functions of a client that was loaded and not yet initialised.
///
/// # Errors
/// [`ProviderRefused`]; the client must not be started.
// spec: X-65 X-49 X-T07
pub fn attach(
    provider: &dyn Provider,
    loaded: &LoadedClient,
    client: &mut Client,
) -> Result<ScpId, ProviderRefused> {
    let id = provider.scp_id(loaded).ok_or(ProviderRefused::NoScpId(loaded.name))?;
    for ProvidedCall { call, arguments, function } in provider.functions(loaded) {
        if !client.set_provider(call, arguments, function) {
            return Err(ProviderRefused::Function(call));
        }
    }
    Ok(id)
}
