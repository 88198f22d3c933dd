//! Conformance, interop, attacks, faults and journeys against the real programs.
