//! The secure data management platform: chip secrets, off line.
