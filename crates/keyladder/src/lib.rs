//! Root-key derivation profiles, key ladder, challenge-response and the sealed message envelope.
