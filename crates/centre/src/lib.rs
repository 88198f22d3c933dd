//! The download centre: J.1020 roles over HTTPS.
