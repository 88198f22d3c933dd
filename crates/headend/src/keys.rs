//! K1 and K2 of a CA system, K3 of its chips.
