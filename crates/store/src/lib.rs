//! Crash-safe sealed storage of the terminal, A/B slots, version floors.
