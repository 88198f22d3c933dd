//! What the terminal tells whoever watches it: one JSON object per line.

use std::sync::Arc;

use serde_json::Value;

type Sink = dyn Fn(&Value) + Send + Sync;

/// Takes events; a silent one drops them.
#[derive(Clone)]
pub struct Reporter(Option<Arc<Sink>>);

impl Reporter {
    /// Events go nowhere.
    #[must_use]
    pub const fn silent() -> Self {
        Self(None)
    }

    /// Events go to standard error, one line each.
    #[must_use]
    pub fn stderr() -> Self {
        Self::new(|event| eprintln!("{event}"))
    }

    /// Events go to a function.
    pub fn new(sink: impl Fn(&Value) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(sink)))
    }

    pub(crate) fn emit(&self, event: Value) {
        if let Some(sink) = &self.0 {
            sink(&event);
        }
    }
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Reporter" } else { "Reporter (silent)" })
    }
}
