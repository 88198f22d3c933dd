//! X.1198 Annex A client package, its policy, and the client image container.
