//! What the sampler learns from, kept in the store: one document an ad, changed by compare and swap.

use std::collections::BTreeMap;

use xynergy_attribution::sampler::{
    self, AdObservation, AdState, Day, DealFeedback, Posteriors, SamplerOptions, SamplerState,
};
use xynergy_core::{Error, ErrorKind, Result, Timestamp};

use super::Allocations;

const COLLECTION: &str = "sampler";
/// Each time one that was in between has been written: more than any number of workers at one ad.
const MOST_ATTEMPTS: usize = 10_000;

impl Allocations<'_> {
    /// Takes the figures of one ad and day, totals of the day so far, and says whether they changed anything. Of several reports the
    /// one of the latest `observed_at` counts (now, when it is not given), whatever the order they arrive in.
    ///
    /// Workers may do it at once: none is lost. Cancel safety: taken whole or not at all.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field, and those of the store; nothing is taken then.
    pub async fn observe(&self, observation: &AdObservation) -> Result<bool> {
        let mut observation = observation.clone();
        observation.observed_at.get_or_insert_with(|| self.now());
        observation.validate()?;
        self.change("allocation.observe", &observation.ad_id, false, |ad| {
            Ok(usize::from(ad.observe(&observation)))
        })
        .await
        .map(|changed| changed > 0)
    }

    /// Takes what became of a deal behind an ad, and says whether it changed anything: an event that was given before does not.
    ///
    /// Workers may do it at once: none is lost. Cancel safety: taken whole or not at all.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field; [`NotFound`](ErrorKind::NotFound) for an ad that was never
    /// observed; [`Conflict`](ErrorKind::Conflict) when the latest event of the deal has this id and says something else; those of the
    /// store. Nothing is taken then.
    pub async fn feedback(&self, feedback: &DealFeedback) -> Result<bool> {
        feedback.validate()?;
        self.change("allocation.feedback", &feedback.ad_id, true, |ad| {
            ad.refuse_conflict(feedback)?;
            Ok(usize::from(ad.feedback(feedback)))
        })
        .await
        .map(|changed| changed > 0)
    }

    /// Takes many observations and feedbacks, in any order, and says how many changed anything: for batches, and for an event log that
    /// is replayed. An ad need not have been observed; of two events of one id that differ the greater counts.
    ///
    /// One write an ad. Cancel safety: each ad's events are taken whole or not at all, and giving all of them again is safe.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the place in the list and the field; nothing is taken then. Those of the
    /// store; ads before the one at fault are taken then.
    pub async fn learn(&self, observations: &[AdObservation], feedback: &[DealFeedback]) -> Result<usize> {
        const OPERATION: &str = "allocation.learn";
        let now = self.now();
        let mut by_ad: BTreeMap<&str, (Vec<AdObservation>, Vec<&DealFeedback>)> = BTreeMap::new();
        for (place, observation) in observations.iter().enumerate() {
            observation.validate().map_err(|error| at("observations", place, &error))?;
            let mut observed = observation.clone();
            observed.observed_at.get_or_insert(now);
            by_ad.entry(&observation.ad_id).or_default().0.push(observed);
        }
        for (place, feedback) in feedback.iter().enumerate() {
            feedback.validate().map_err(|error| at("feedback", place, &error))?;
            by_ad.entry(&feedback.ad_id).or_default().1.push(feedback);
        }
        let mut changed = 0;
        for (ad_id, (observations, feedback)) in by_ad {
            changed += self
                .change(OPERATION, ad_id, false, |ad| {
                    let observed = observations.iter().filter(|observation| ad.observe(observation)).count();
                    Ok(observed + feedback.iter().filter(|feedback| ad.feedback(feedback)).count())
                })
                .await?;
        }
        Ok(changed)
    }

    /// Everything that the sampler remembers of the tenant's ads: to look at, to keep a copy of, and for
    /// [`merge`](Self::merge) elsewhere.
    ///
    /// # Errors
    /// Those of the store, and [`Corrupt`](ErrorKind::Corrupt).
    pub async fn state(&self) -> Result<SamplerState> {
        let stored = self.0.stores().await?.state.list(self.0.tenant(), COLLECTION).await?;
        let ads = stored
            .into_iter()
            .map(|(ad_id, document)| Ok((ad_id, read("allocation.state", &document.value)?)))
            .collect::<Result<_>>()?;
        Ok(SamplerState { ads })
    }

    /// Takes in what another replica remembers, and says of how many ads that changed anything. Merging again changes nothing,
    /// and the order of merges does not matter.
    ///
    /// Cancel safety: each ad is merged whole or not at all.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a state that contradicts itself; nothing is taken then. Those of the store.
    pub async fn merge(&self, state: &SamplerState) -> Result<usize> {
        const OPERATION: &str = "allocation.merge";
        state.validate().map_err(|error| error.in_operation(OPERATION))?;
        let mut changed = 0;
        for (ad_id, theirs) in &state.ads {
            changed += self
                .change(OPERATION, ad_id, false, |ad| {
                    let before = ad.clone();
                    ad.merge(theirs);
                    Ok(usize::from(*ad != before))
                })
                .await?;
        }
        Ok(changed)
    }

    /// What is believed of every ad: means and 90 % intervals of click-through and return.
    ///
    /// It computes on the calling thread: about 50 ms for 1,000 ads.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for options out of range, and those of the store.
    pub async fn posteriors(&self, options: &SamplerOptions) -> Result<Posteriors> {
        sampler::posteriors(&self.state().await?, &self.dated(options))
    }

    /// The options with the day that it is now, where they have none.
    pub(super) fn dated(&self, options: &SamplerOptions) -> SamplerOptions {
        let day = options.day.unwrap_or_else(|| Day::of(self.now()));
        SamplerOptions { day: Some(day), ..options.clone() }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.ctx().env.clock.now()
    }

    /// Changes what is remembered of one ad, again from the start when another worker was in between.
    async fn change(
        &self,
        operation: &'static str,
        ad_id: &str,
        must_be_known: bool,
        change: impl Fn(&mut AdState) -> Result<usize>,
    ) -> Result<usize> {
        let tenant = self.0.tenant();
        let store = &self.0.stores().await?.state;
        let forgotten = Day::of(self.now()).minus(sampler::DAYS_THAT_COUNT);
        for _ in 0..MOST_ATTEMPTS {
            let stored = store.get(tenant, COLLECTION, ad_id).await?;
            let (version, mut ad) = match &stored {
                Some(document) => (document.version, read::<AdState>(operation, &document.value)?),
                None if must_be_known => return Err(sampler::unknown_ad(ad_id)),
                None => (0, AdState::default()),
            };
            let changed = change(&mut ad)?;
            if changed == 0 {
                return Ok(0);
            }
            if ad.has_before(forgotten) {
                ad.forget_before(forgotten);
            }
            let text = serde_json::to_string(&ad).map_err(|e| {
                Error::new(ErrorKind::Unexpected, operation, "the sampler's state cannot be stored")
                    .with_source(e)
            })?;
            match store.put(tenant, COLLECTION, ad_id, Some(version), &text).await {
                Ok(_) => return Ok(changed),
                Err(error) if error.kind() == ErrorKind::Conflict => tokio::task::yield_now().await,
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            operation,
            format!("ad {ad_id}: others wrote at each of {MOST_ATTEMPTS} attempts"),
        ))
    }
}

fn at(list: &str, place: usize, error: &Error) -> Error {
    Error::invalid("allocation.learn", format!("{list}: {place}: {}", error.message()))
}

fn read<T: serde::de::DeserializeOwned>(operation: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| {
        Error::new(ErrorKind::Corrupt, operation, "the stored sampler's state cannot be read").with_source(e)
    })
}
