//! Plays a carousel into a channel of the same process.

use portcullis_types::EmmgClientId;
use tokio::sync::mpsc;

use super::DATA_ID;
use super::carousel::Carousel;
use super::feed::Feed;
use crate::clock::Steady;
use crate::mux_server::EmmDatagram;

/// Ends when the receiver is dropped or the feed has ended.
pub(super) async fn play_in_process(
    client_id: EmmgClientId,
    kbps: u16,
    mut feed: Feed,
    out: mpsc::Sender<EmmDatagram>,
) {
    let clock = Steady::start();
    let mut carousel = Carousel::default();
    carousel.start(kbps, clock.now());
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            update = feed.updates.recv() => match update {
                Some(update) => carousel.update(update),
                None => return,
            },
            _ = tick.tick() => {}
            () = out.closed() => return,
        }
        let due = carousel.due(clock.now(), BATCH);
        if !due.is_empty() {
            let sections = due.iter().map(|section| section.to_vec()).collect();
            if out.send(EmmDatagram { client_id, data_id: DATA_ID, sections }).await.is_err() {
                return;
            }
        }
        if let Some(through) = carousel.taken()
            && feed.marks.send(through).is_err()
        {
            return;
        }
    }
}

/// How often a carousel looks for sections that are due.
pub(super) const TICK: std::time::Duration = std::time::Duration::from_millis(10);

/// Sections handed out at once: below 64 KiB in all.
pub(super) const BATCH: usize = 48;
