//! SCS, CWG, scrambler, MUX, ECMG, EMMG and the operator's store.
