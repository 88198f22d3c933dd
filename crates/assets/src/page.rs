//! The built page, file by file.

/// One file of the page.
#[derive(Debug, Clone, Copy)]
pub struct PageFile {
    /// Path below the page's root, such as `index.html` or `assets/index.js`.
    pub path: &'static str,
    /// Value of the `Content-Type` header.
    pub content_type: &'static str,
    /// The content.
    pub bytes: &'static [u8],
}

const PAGE: Option<&[PageFile]> = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The files of the page, or `None` when the build had no node to make them with.
#[must_use]
pub fn page() -> Option<&'static [PageFile]> {
    PAGE
}
