//! What up shows: the page, its live state and its buttons.
