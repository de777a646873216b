//! Click-through that is predicted from features: a small online logistic model with hashed features, calibrated on what it predicted
//! before it learned it. It is the prior of ads that have no data.
//!
//! All of it is pure: the same rows give the same model, byte for byte.

mod calibrate;
mod features;
mod model;
mod report;
mod train;

pub use features::{CtrRow, FeatureValue, Features};
pub use model::{CtrAd, CtrModel, CtrOptions, CtrPrediction};
pub use report::CtrReport;
pub use train::train;
