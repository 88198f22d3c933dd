//! The trust authority: root ceremony and certificates, off line.
