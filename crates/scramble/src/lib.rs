//! DVB-CSA2, DVB-CISSA, IDSA and the AES modes on transport packets.
