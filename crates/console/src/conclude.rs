//! Concludes where a box is on its way to a picture, and says why there is none.
// spec: D-06

use std::time::{Duration, Instant};

use crate::fields::sentence;
use crate::fold::BoxRecord;
use crate::state::{BoxState, Channel, Entitlement, Level, Phase, Product};
use crate::store::Log;

impl BoxRecord {
    /// Concludes the phase; says whether anything changed.
    pub(crate) fn settle(
        &mut self,
        now: Instant,
        gap: Duration,
        channel: &Channel,
        products: &[Product],
        log: &mut Log,
    ) -> bool {
        let moving = self.last_picture.is_some_and(|at| now.duration_since(at) < gap);
        let (phase, reason) = self.conclude(moving, channel, products);
        let before = self.state.phase;
        let mut changed = before != phase || self.state.reason != reason;
        if phase == Phase::Playing && before != Phase::Playing {
            self.state.picture += 1;
            log.say(Level::Good, &self.state.name, "the picture is on");
            for (product, at) in std::mem::take(&mut self.sold_at) {
                let took = u64::try_from(now.duration_since(at).as_millis()).unwrap_or(u64::MAX);
                self.took.insert(product, took);
            }
        }
        if before == Phase::Playing && phase != Phase::Playing {
            log.say(Level::Warn, &self.state.name, "the picture is gone");
        }
        self.state.phase = phase;
        self.state.reason = reason;
        let entitlements = self.entitlements(phase, channel.service_id, products);
        changed |= entitlements.len() != self.state.entitlements.len()
            || entitlements.iter().zip(&self.state.entitlements).any(|(new, old)| {
                (&new.product, new.sold, new.held) != (&old.product, old.sold, old.held)
            });
        self.state.entitlements = entitlements;
        changed
    }

    fn conclude(
        &self,
        moving: bool,
        channel: &Channel,
        products: &[Product],
    ) -> (Phase, Option<String>) {
        if let Some((phase, why)) = &self.ended {
            return (*phase, Some(why.clone()));
        }
        if !self.state.powered {
            return (Phase::Off, Some("Powered off.".to_owned()));
        }
        if moving {
            return (Phase::Playing, None);
        }
        let client = self.state.client.as_ref();
        if client.is_none() {
            let said = match self.state.boot.last() {
                None => "Booting.".to_owned(),
                Some(link) => format!("Booting: {} {}.", link.link, link.verdict),
            };
            return (Phase::Booting, Some(said));
        }
        match client.map(|client| (client.state.as_str(), client.percent)) {
            Some((end @ ("stopped" | "refused"), _)) => {
                return (Phase::Failed, Some(format!("Its client was {end}.")));
            }
            Some(("running", _)) | None => {}
            Some(("downloading", Some(percent))) => {
                return (Phase::Client, Some(format!("Getting its client, {percent} %.")));
            }
            Some(("downloading", None)) => {
                return (Phase::Client, Some("Getting its client.".to_owned()));
            }
            Some((state, _)) => return (Phase::Client, Some(format!("Client {state}."))),
        }
        let sold = self.sells(channel.service_id, products);
        match self.right.as_ref().map(|right| right.state.as_str()) {
            Some("not_entitled" | "expired") if sold => {
                let said = "Sold. The entitlement is on its way.";
                (Phase::Waiting, Some(said.to_owned()))
            }
            Some("not_entitled") => {
                (Phase::NotEntitled, Some(format!("Not entitled to {}.", channel.name)))
            }
            Some("expired") => {
                let said = format!("The entitlement to {} has ended.", channel.name);
                (Phase::NotEntitled, Some(said))
            }
            Some("no_key") => {
                let said = self.right.as_ref().map_or("", |right| right.reason.as_str());
                (Phase::Waiting, Some(sentence(said)))
            }
            Some(_) => (Phase::Waiting, Some("Waiting for the next keys.".to_owned())),
            None if !sold => {
                (Phase::NotEntitled, Some(format!("Not entitled to {}.", channel.name)))
            }
            None => (Phase::Waiting, Some("Waiting for its first keys.".to_owned())),
        }
    }

    /// Some sold product opens the service on air.
    fn sells(&self, service: u16, products: &[Product]) -> bool {
        products
            .iter()
            .any(|product| self.sold.contains(&product.name) && product.services.contains(&service))
    }

    fn entitlements(&self, phase: Phase, service: u16, products: &[Product]) -> Vec<Entitlement> {
        let right = self.right.as_ref().filter(|right| right.state == "entitled");
        let entitled = right.is_some() || phase == Phase::Playing;
        let covered = self.sells(service, products);
        let mut first_cover = true;
        let list = products.iter().filter_map(|product| {
            let covers = product.services.contains(&service);
            let sold = self.sold.contains(&product.name);
            // What was cancelled is held until the box forgets it; the first product that
            // covers the service stands for it then.
            let held = entitled && covers && (sold || (!covered && first_cover));
            first_cover &= !covers;
            (sold || held).then(|| Entitlement {
                product: product.name.clone(),
                sold,
                held,
                until_s: right.filter(|_| held).and_then(|right| right.until_s),
                took_ms: self.took.get(&product.name).copied(),
            })
        });
        list.collect()
    }

    pub(crate) fn show(&mut self, now: Instant) -> BoxState {
        BoxState { ecm: self.ecm.show(now), ..self.state.clone() }
    }
}
