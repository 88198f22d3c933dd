//! Messages and channel/stream machines of ECMG-SCS and EMMG-MUX, sans-IO.
