//! The headend role from file to file and on air, with an ECM generator of a few lines that hides
//! nothing, and a receiver that knows only what is in the stream.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod file;
mod generator;
mod live;
mod receiver;
mod stream;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use portcullis_headend::event::Events;
use portcullis_headend::location::Location;
use portcullis_headend::playout::{EcmgAddress, PlayoutConfig, PlayoutError, Summary, run};
use portcullis_types::{Deciseconds, ScramblingMode, ServiceId, SuperCasId};

/// A headend with one ECM generator of somebody else and no data directory.
pub(crate) fn config(input: &Path, output: Location, ecmg: &str) -> PlayoutConfig {
    PlayoutConfig {
        data: "/nowhere".into(),
        passphrase: None,
        input: Location::File(input.into()),
        output,
        service: ServiceId(1),
        product: None,
        mode: ScramblingMode::Cissa,
        crypto_period: Deciseconds(10),
        ecmg: vec![EcmgAddress {
            address: ecmg.to_owned(),
            super_cas_id: SuperCasId(0x7A10_0001),
            access_criteria: vec![1, 2, 3],
        }],
        ecm_channel_id: None,
        emm_listen: None,
        emm_bandwidth_kbps: 100,
        repeat: false,
        batch_deadline: std::time::Duration::from_millis(10),
    }
}

pub(crate) async fn play(config: PlayoutConfig) -> Result<Summary, PlayoutError> {
    run(config, Events::none(), Arc::new(AtomicBool::new(false))).await
}
