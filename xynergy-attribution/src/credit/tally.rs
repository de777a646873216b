use std::collections::{BTreeMap, HashMap};

use xynergy_core::{Error, ErrorKind, Result};

use super::answer::{ChannelCredit, CreditTotal, Credits};
use super::chain::Chain;
use super::model::{CreditModel, CreditParameters};
use super::path::{PathView, TouchPath, invalid, never_added};
use super::round::{Mixed, real, to_total};
use super::share::{Touch, shares};

const MILLION: i128 = 1_000_000;

/// The paths of one model so far, as integer counts: adding, removing and merging commute, and what was added and removed again
/// leaves nothing behind. [`credits`](Self::credits) is a pure function of the counts.
#[derive(Clone, Debug)]
pub struct Tally {
    model: CreditModel,
    parameters: CreditParameters,
    names: Vec<String>,
    numbers: HashMap<String, u32>,
    touches: Vec<i128>,
    /// By channel and denominator: conversions and value.
    numerators: HashMap<(u32, u64), (i128, i128)>,
    chain: Option<Chain>,
    attributed: Sums,
    unattributed: Sums,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    conversions: i128,
    /// Of positive values, and of negative ones without their sign.
    value: [i128; 2],
}

/// A channel's credit before it is rounded, for comparisons with other programs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Unrounded {
    /// Conversions.
    pub conversions: f64,
    /// Value in minor units.
    pub value_minor: f64,
    /// Markov's removal effect.
    pub removal_effect: Option<f64>,
}

/// What a model gives one channel: conversions in millionths, and value, of which Markov's has two parts.
struct Row {
    channel: u32,
    conversions: Mixed,
    value: [Mixed; 2],
    removal_effect: Option<f64>,
}

impl Tally {
    /// An empty tally.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput): a parameter is out of its bounds or belongs to another model.
    pub fn new(model: CreditModel, parameters: &CreditParameters) -> Result<Self> {
        let parameters = parameters.of(model)?;
        let chain = parameters.order.map(|order| Chain::new(order, parameters.nulls.unwrap_or(true)));
        Ok(Self {
            model,
            parameters,
            names: Vec::new(),
            numbers: HashMap::new(),
            touches: Vec::new(),
            numerators: HashMap::new(),
            chain,
            attributed: Sums::default(),
            unattributed: Sums::default(),
        })
    }

    /// Adds a path.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field; the tally is as it was.
    pub fn add(&mut self, path: &TouchPath) -> Result<()> {
        self.count(path.view()?, 1)
    }

    /// Takes out a path that was added, here or to a tally that is merged in.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field; the tally is as it was.
    pub fn remove(&mut self, path: &TouchPath) -> Result<()> {
        self.count(path.view()?, -1)
    }

    /// Adds all paths of another tally.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) when it is one of another model or of other parameters; the tally is as it was.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if self.model != other.model || self.parameters != other.parameters {
            return Err(invalid(
                "model",
                "the tallies differ in model or parameters; make both with the same",
            ));
        }
        let numbers: Vec<u32> = other.names.iter().map(|name| self.number(name)).collect();
        let here = |channel: u32| numbers.get(channel as usize).copied().unwrap_or(channel);
        for (&number, touches) in numbers.iter().zip(&other.touches) {
            self.touches[number as usize] += touches;
        }
        for (&(channel, denominator), &(conversions, value)) in &other.numerators {
            self.put((here(channel), denominator), conversions, value);
        }
        if let (Some(chain), Some(other)) = (&mut self.chain, &other.chain) {
            chain.merge(other, here);
        }
        self.attributed.merge(other.attributed);
        self.unattributed.merge(other.unattributed);
        Ok(())
    }

    /// The credit of every channel.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) when more was removed than added, or a total is beyond 64 bits;
    /// [`LimitExceeded`](ErrorKind::LimitExceeded) for a Markov chain that would take hours to solve.
    pub fn credits(&self) -> Result<Credits> {
        self.check()?;
        let (rows, conversion_probability) = self.rows()?;
        let conversions: Vec<Mixed> = rows.iter().map(|row| row.conversions).collect();
        let conversions = to_total(&conversions, self.attributed.conversions * MILLION);
        let part = |sign: usize, total: i128| {
            let shares: Vec<Mixed> = rows.iter().map(|row| row.value[sign]).collect();
            to_total(&shares, total)
        };
        let value = if self.chain.is_some() {
            let [gained, refunded] = self.attributed.value;
            part(0, gained).into_iter().zip(part(1, refunded)).map(|(plus, minus)| plus - minus).collect()
        } else {
            part(0, self.attributed.net())
        };
        let channels = rows.iter().zip(conversions).zip(value).map(|((row, conversions), value)| {
            let touches = self.touches[row.channel as usize];
            Ok(ChannelCredit {
                channel: self.names[row.channel as usize].clone(),
                conversions_millionths: narrow("conversions", conversions)?,
                value_minor: narrow("value_minor", value)?,
                touch_count: u64::try_from(touches).map_err(|_| too_much("channels"))?,
                removal_effect: row.removal_effect,
            })
        });
        let channels: Vec<ChannelCredit> = channels.collect::<Result<_>>()?;
        let mut total = self.attributed;
        total.merge(self.unattributed);
        Ok(Credits {
            model: self.model,
            parameters: self.parameters.clone(),
            channels,
            unattributed: self.unattributed.total()?,
            total: total.total()?,
            conversion_probability,
        })
    }

    /// The credit of every channel before it is rounded to integers.
    ///
    /// # Errors
    /// Those of [`credits`](Self::credits).
    pub fn unrounded(&self) -> Result<BTreeMap<String, Unrounded>> {
        self.check()?;
        let rows = self.rows()?.0.into_iter().map(|row| {
            let [gained, refunded] = row.value.map(Mixed::number);
            let unrounded = Unrounded {
                conversions: row.conversions.number() / real(MILLION),
                value_minor: gained - refunded,
                removal_effect: row.removal_effect,
            };
            (self.names[row.channel as usize].clone(), unrounded)
        });
        Ok(rows.collect())
    }

    /// Adds a path whose channels lie elsewhere.
    #[cfg(feature = "arrow")]
    pub(crate) fn add_view(&mut self, path: PathView<'_>) -> Result<()> {
        self.count(path, 1)
    }

    fn count(&mut self, path: PathView<'_>, sign: i128) -> Result<()> {
        let timed = self.parameters.lookback_days.is_some() || self.model == CreditModel::TimeDecay;
        let PathView { conversions, value_minor, nulls, .. } = path;
        let named = path.counting(self.parameters.lookback_days, self.parameters.lookback_steps, timed)?;
        if self.chain.is_some() && value_minor != 0 && conversions == 0 && !named.is_empty() {
            let problem = "markov divides the value of conversions, and conversions is 0; give it the count, or remove the path and add it with the value that is left";
            return Err(invalid("value_minor", problem));
        }
        let value = i128::from(value_minor);
        let sums = Sums {
            conversions: sign * i128::from(conversions),
            value: [sign * value.max(0), sign * (-value).max(0)],
        };
        if named.is_empty() {
            self.unattributed.merge(sums);
            return Ok(());
        }
        let touches: Vec<Touch> = named.iter().map(|&(at, name)| (at, self.number(name))).collect();
        let times = sign * (i128::from(conversions) + i128::from(nulls));
        for &(_, channel) in &touches {
            self.touches[channel as usize] += times;
        }
        self.attributed.merge(sums);
        if let Some(chain) = &mut self.chain {
            let channels: Vec<u32> = touches.iter().map(|&(_, channel)| channel).collect();
            chain.count(&channels, sums.conversions, sign * i128::from(nulls), sums.value);
        } else if conversions != 0 || value != 0 {
            let direct = self.parameters.direct_channels.as_deref().unwrap_or_default();
            let is_direct = |channel: u32| direct.binary_search(&self.names[channel as usize]).is_ok();
            let (denominator, parts) = shares(&touches, self.model, &self.parameters, is_direct);
            for (channel, part) in parts {
                let part = i128::from(part);
                self.put((channel, denominator), part * sums.conversions, part * sign * value);
            }
        }
        Ok(())
    }

    fn put(&mut self, place: (u32, u64), conversions: i128, value: i128) {
        let sums = self.numerators.entry(place).or_default();
        sums.0 = sums.0.saturating_add(conversions);
        sums.1 = sums.1.saturating_add(value);
    }

    fn number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        self.touches.push(0);
        number
    }

    /// The channels with a touch that counts, by name.
    fn present(&self) -> Vec<u32> {
        let counted = self.numerators.iter().filter(|(_, sums)| **sums != (0, 0)).map(|(place, _)| place.0);
        let touched = (0_u32..).zip(&self.touches).filter(|(_, touches)| **touches != 0).map(|(n, _)| n);
        let mut present: Vec<u32> = touched.chain(counted).collect();
        present.sort_unstable_by_key(|&channel| &self.names[channel as usize]);
        present.dedup();
        present
    }

    fn rows(&self) -> Result<(Vec<Row>, Option<f64>)> {
        let present = self.present();
        if let Some(chain) = &self.chain {
            return self.markov(chain, &present);
        }
        // In the order of the denominators, so that the sum of floats is that of the set.
        let sorted: BTreeMap<(u32, u64), (i128, i128)> =
            self.numerators.iter().map(|(&place, &sums)| (place, sums)).collect();
        let rows = present.iter().map(|&channel| {
            let mut row = Row {
                channel,
                conversions: Mixed::default(),
                value: [Mixed::default(); 2],
                removal_effect: None,
            };
            for (&(_, denominator), &(conversions, value)) in sorted.range((channel, 0)..=(channel, u64::MAX))
            {
                row.conversions =
                    row.conversions.plus(Mixed::ratio(conversions.saturating_mul(MILLION), denominator));
                row.value[0] = row.value[0].plus(Mixed::ratio(value, denominator));
            }
            row
        });
        Ok((rows.collect(), None))
    }

    fn markov(&self, chain: &Chain, present: &[u32]) -> Result<(Vec<Row>, Option<f64>)> {
        let effects = chain.removal_effects(present)?;
        let totals =
            [self.attributed.conversions * MILLION, self.attributed.value[0], self.attributed.value[1]];
        let sums: [f64; 3] = std::array::from_fn(|kind| effects.iter().map(|effect| effect[kind]).sum());
        let rows = present.iter().zip(&effects).map(|(&channel, effect)| {
            let share = |kind: usize| {
                let sum = sums[kind];
                Mixed::of(if sum > 0.0 { effect[kind] / sum * real(totals[kind]) } else { 0.0 })
            };
            Row {
                channel,
                conversions: share(0),
                value: [share(1), share(2)],
                removal_effect: Some(effect[0]),
            }
        });
        Ok((rows.collect(), chain.conversion_probability()))
    }

    fn check(&self) -> Result<()> {
        let negative = |sums: &Sums| sums.conversions < 0 || sums.value.iter().any(|&value| value < 0);
        let chain = self.chain.as_ref().is_some_and(Chain::has_negative);
        if chain
            || negative(&self.attributed)
            || negative(&self.unattributed)
            || self.touches.iter().any(|&t| t < 0)
            || self.numerators.values().any(|&(conversions, _)| conversions < 0)
        {
            return Err(never_added());
        }
        Ok(())
    }
}

impl Sums {
    fn merge(&mut self, other: Self) {
        self.conversions = self.conversions.saturating_add(other.conversions);
        for (sum, value) in self.value.iter_mut().zip(other.value) {
            *sum = sum.saturating_add(value);
        }
    }

    fn net(self) -> i128 {
        self.value[0] - self.value[1]
    }

    fn total(self) -> Result<CreditTotal> {
        for gross in self.value {
            narrow("value_minor", gross)?;
        }
        Ok(CreditTotal {
            conversions_millionths: narrow("conversions", self.conversions.saturating_mul(MILLION))?,
            value_minor: narrow("value_minor", self.net())?,
        })
    }
}

fn narrow(field: &'static str, total: i128) -> Result<i64> {
    i64::try_from(total).map_err(|_| too_much(field))
}

fn too_much(field: &'static str) -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        "attribution.credit",
        format!("{field}: the sum of all paths is beyond 64 bits; credit fewer paths at a time"),
    )
    .with_context("field", field)
}
