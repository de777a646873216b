//! Which channels a conversion is owed to: from the paths of touches before it to credit by channel.
//!
//! Every model is a pure function of the *set* of paths: a [`Tally`] keeps integer counts, so paths may come in any order, be
//! taken out again, and tallies of parts be merged, and the answer has the same bytes. Credit is in integers (millionths of a
//! conversion, minor units) and sums to the total exactly.
//!
//! The Markov model is exact: no walk is drawn. See [`CreditModel::Markov`] for what is solved.

mod answer;
mod chain;
mod components;
mod dense;
mod model;
pub(crate) mod path;
mod reduced;
mod round;
mod share;
mod sparse;
mod tally;

pub use answer::{ChannelCredit, CreditTotal, Credits};
pub use model::{CreditModel, CreditParameters, PositionWeights};
pub use path::{AfterConversion, Journey, JourneyConversion, TouchPath, paths};
pub use tally::{Tally, Unrounded};

use xynergy_core::Result;

/// The credit of every channel in `paths` by one model.
///
/// # Errors
/// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) that names the field;
/// [`LimitExceeded`](xynergy_core::ErrorKind::LimitExceeded) for a Markov chain that would take hours to solve.
pub fn credit(paths: &[TouchPath], model: CreditModel, parameters: &CreditParameters) -> Result<Credits> {
    let mut tally = Tally::new(model, parameters)?;
    for (index, path) in paths.iter().enumerate() {
        tally.add(path).map_err(|error| path::at(&error, index))?;
    }
    tally.credits()
}
