//! The page's buttons, carried to the supervisor.

use std::sync::Arc;

use portcullis_console::{Control, ControlFuture, ControlRefused};
use tokio::sync::{mpsc, oneshot};

use super::supervisor::Mail;

/// What a person may ask for.
#[derive(Debug)]
pub(super) enum Order {
    AddBox { name: String, vendor: String },
    Entitle { name: String, product: String },
    Unentitle { name: String, product: String },
    Power { name: String, on: bool },
}

/// Where the supervisor answers an order.
pub(super) type Reply = oneshot::Sender<Result<(), ControlRefused>>;

pub(super) struct Orders {
    mailbox: mpsc::Sender<Mail>,
}

impl Orders {
    pub(super) const fn new(mailbox: mpsc::Sender<Mail>) -> Self {
        Self { mailbox }
    }

    pub(super) fn into_control(self) -> Arc<dyn Control> {
        Arc::new(self)
    }

    fn give(&self, order: Order) -> ControlFuture<'_> {
        Box::pin(async move {
            let ended = || ControlRefused::Failed("portcullis is ending".to_owned());
            let (reply, answer) = oneshot::channel();
            self.mailbox.send(Mail::Order(order, reply)).await.map_err(|_| ended())?;
            answer.await.map_err(|_| ended())?
        })
    }
}

impl Control for Orders {
    fn add_box(&self, name: String, vendor: String) -> ControlFuture<'_> {
        self.give(Order::AddBox { name, vendor })
    }

    fn entitle(&self, name: String, product: String) -> ControlFuture<'_> {
        self.give(Order::Entitle { name, product })
    }

    fn unentitle(&self, name: String, product: String) -> ControlFuture<'_> {
        self.give(Order::Unentitle { name, product })
    }

    fn power(&self, name: String, on: bool) -> ControlFuture<'_> {
        self.give(Order::Power { name, on })
    }
}
