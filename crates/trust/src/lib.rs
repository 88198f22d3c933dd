//! Certificates and roles: the verifying side.
