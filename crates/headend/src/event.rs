//! Events for whoever runs a role as a child process: JSON lines on stderr, when asked for.

use std::sync::Arc;

use serde_json::Value;

type Sink = dyn Fn(&Value) + Send + Sync;

/// Where events go. Cloning gives another handle to the same place.
#[derive(Clone, Default)]
pub struct Events(Option<Arc<Sink>>);

impl Events {
    /// Nowhere.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// To a function.
    pub fn to(sink: impl Fn(&Value) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(sink)))
    }

    /// One JSON object per line on stderr, when `wanted`.
    #[must_use]
    pub fn stderr(wanted: bool) -> Self {
        if wanted { Self::to(|event| eprintln!("{event}")) } else { Self::none() }
    }

    /// Reports an event; the value is only made when somebody listens.
    pub fn emit(&self, event: impl FnOnce() -> Value) {
        if let Some(sink) = &self.0 {
            sink(&event());
        }
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Events(on)" } else { "Events(off)" })
    }
}
