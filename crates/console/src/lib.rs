//! What `up` shows: the page, its live state and its buttons.
//!
//! Trust domain: the operator, on line. The console reads what the programs say about themselves
//! and passes on what comes out of the boxes; it holds no key and decides nothing. What must
//! never happen: a picture that did not come out of a box, an order from another site's page, a
//! slow reader that holds up the others.

mod air;
mod conclude;
mod control;
mod fields;
mod fold;
mod guard;
mod latency;
mod output;
mod routes;
mod store;

pub mod state;

pub use control::{Control, ControlFuture, ControlRefused};
pub use guard::HostGuard;
pub use output::BoxOutput;
pub use routes::{ServeError, serve};
pub use store::Console;

/// Sizes and times that the console never exceeds.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Snapshots per second to one reader at most, as the pause between two.
    pub snapshot_pause: std::time::Duration,
    /// Lines of the event log that are kept.
    pub log_lines: usize,
    /// Boxes that are shown.
    pub boxes: usize,
    /// Readers of streams and of live state at once; a further one is refused.
    pub readers: usize,
    /// Chunks that a reader of a stream may be behind before it is dropped.
    pub reader_backlog: usize,
    /// Octets kept since the last picture that decodes by itself, for readers that join.
    pub join_octets: usize,
    /// Without a new picture for so long a box counts as black.
    pub picture_gap: std::time::Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            snapshot_pause: std::time::Duration::from_millis(200),
            log_lines: 80,
            boxes: 64,
            readers: 128,
            reader_backlog: 512,
            join_octets: 4 << 20,
            picture_gap: std::time::Duration::from_millis(1500),
        }
    }
}
