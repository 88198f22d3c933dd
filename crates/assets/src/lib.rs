//! What the programs carry inside: the page, the reference clients, the sample stream.
