//! Clicks as they come in: read, checked and stripped of what nobody consented to.

mod address;
mod agent;
mod bots;
mod epochs;
mod facebook;
mod identity;
mod landing;
mod parse;
mod rules;
mod visit;

pub use address::{AddressRange, client_address};
pub use agent::{Agent, ClientHints};
pub use bots::is_bot;
pub use epochs::Epoch;
pub use facebook::{FacebookCookie, facebook_click_id, subdomain_index};
pub use identity::{IdentityKey, epoch_secret};
pub use landing::{ClickIdFamily, Fragment, Landing};
pub use parse::{ClickLine, LineProblem, parse_line};
pub use rules::ClickRules;
pub use visit::Visit;
