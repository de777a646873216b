//! Which click is behind a deal: consent first, then three layers from the surest to the least sure, and beside them how probable it is.

mod alike;
mod calibrate;
mod compare;
mod estimate;
mod evidence;
mod layers;
pub mod linkage;
mod model;
mod posterior;
mod ppm;
mod receipt;
mod signals;
mod train;
mod used;
mod waterfall;
mod windows;

pub use calibrate::{Calibration, Judged, expected_calibration_error};
pub use evidence::{ContactProperties, Evidence};
pub use layers::{AdParents, ChooseBy, KnownAds, RULE_VERSION, Rules, Weighing, choose, nothing, outside};
pub use model::{COMPARED_CLICKS, Judgement, Model, Versioned, Weighed, Weights};
pub use posterior::Stated;
pub use ppm::Ppm;
pub use receipt::{Forgetting, Forgotten, Receipt, check, credit_stays, forget, read, verify};
pub use signals::Signals;
pub use train::{Collection, Gain, LEAST_MASKED, Trained};
pub use used::Layers;
pub use windows::{ChannelWindows, Windows};
