//! The terminal software platform: embedded SCP, media client, data manager, SCP manager.
