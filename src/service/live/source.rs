//! Where the changes come from: one source per topic, each knowing what it said last.
//!
//! A new topic is one more file with a [`Source`], its name in [`super::topic`], a line in [`all`] and
//! one in the table of who may ask for it (`http/access.rs`). Sources only look at what
//! was published or committed elsewhere; none asks the database or the wire.

use tokio::sync::watch;

use super::stream::Change;
use crate::domain::id::LockerId;
use crate::service::Services;

mod alarms;
mod doors;
mod health;
mod lockers;
mod mass_openings;
mod mine;
mod openings;
mod site;

/// Something was missed: everything must be told anew.
#[derive(Debug)]
pub struct Missed;

/// Gives the changes of one topic.
pub trait Source: Send {
    /// Rings when a look may find something; without one it is looked at each second. Whatever rings,
    /// all sources are looked at.
    fn bell(&self, services: &Services) -> Option<watch::Receiver<u64>>;

    /// What is different from the last look; everything at the first one.
    fn look(&mut self, services: &Services) -> Result<Vec<Change>, Missed>;

    /// Makes the next look the first one again.
    fn forget(&mut self);
}

/// Every topic's source.
pub fn all(services: &Services) -> Vec<Box<dyn Source>> {
    vec![
        Box::new(site::SiteState::default()),
        Box::new(mine::Mine::default()),
        Box::new(lockers::Lockers::default()),
        Box::new(doors::Doors::default()),
        Box::new(openings::Openings::new(services)),
        Box::new(mass_openings::MassOpenings::default()),
        Box::new(alarms::Alarms::default()),
        Box::new(health::Health::default()),
    ]
}

fn key(locker: LockerId) -> u128 {
    u128::from(locker.0.unsigned_abs())
}
