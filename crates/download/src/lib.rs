//! Client download flows of J.1020 clause 10 as sans-IO machines.
