//! What the page's buttons ask for; `up` does it.

use std::future::Future;
use std::pin::Pin;

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ControlRefused {
    /// The order itself is wrong.
    #[error("{0}")]
    Wrong(String),
    /// There is no such box or product.
    #[error("{0}")]
    Unknown(String),
    /// A program failed over it.
    #[error("{0}")]
    Failed(String),
}

/// An order under way.
pub type ControlFuture<'a> = Pin<Box<dyn Future<Output = Result<(), ControlRefused>> + Send + 'a>>;

/// The orders of the page.
pub trait Control: Send + Sync + 'static {
    /// Makes a box of this CA vendor and boots it.
    fn add_box(&self, name: String, vendor: String) -> ControlFuture<'_>;
    /// Sells a product to a box.
    fn entitle(&self, name: String, product: String) -> ControlFuture<'_>;
    /// Cancels a product of a box.
    fn unentitle(&self, name: String, product: String) -> ControlFuture<'_>;
    /// Switches a box on or off.
    fn power(&self, name: String, on: bool) -> ControlFuture<'_>;
}
