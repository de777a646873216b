//! The scripted ad platform.

use async_trait::async_trait;
use serde_json::json;
use xynergy::ads::{
    AccountState, Activity, AdInsight, AdPlatform, AdWrite, Owner, OwnerState, WriteClass, WriteFailure,
};
use xynergy::{Ctx, Error, ErrorKind, Result, Timestamp};

use crate::hosts::Scripted;

impl Scripted {
    fn read(&self) -> Vec<OwnerState> {
        let budgets = self.budgets.lock().unwrap();
        let owners = self.script.parameters["owners"].as_array().unwrap().iter();
        let states = owners.map(|owner| {
            let mut owner = owner.clone();
            owner["read_at"] = json!(self.clock.as_ref().map(|clock| clock.now()));
            let mut state: OwnerState = serde_json::from_value(owner).unwrap();
            if let Some(budget) = budgets.get(&state.owner.to_string()) {
                state.daily_budget_minor = Some(*budget);
            }
            state
        });
        states.collect()
    }
}

#[async_trait]
impl AdPlatform for Scripted {
    async fn account(&self, _: &Ctx, account_id: &str) -> Result<AccountState> {
        self.begin().await?;
        let account = json!({"account_id": account_id, "currency": "USD", "minimum_daily_minor": null});
        Ok(serde_json::from_value(account).unwrap())
    }

    async fn owner(&self, _: &Ctx, owner: &Owner) -> Result<OwnerState> {
        self.begin().await?;
        let found = self.read().into_iter().find(|state| state.owner == *owner);
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "host", "there is no such object"))
    }

    async fn owners(&self, _: &Ctx, _: &str) -> Result<Vec<OwnerState>> {
        self.begin().await?;
        Ok(self.read())
    }

    async fn set(&self, _: &Ctx, write: &AdWrite) -> Result<(), WriteFailure> {
        let ambiguous = |message: String| WriteFailure::new(WriteClass::Ambiguous, message);
        self.begin().await.map_err(|error| ambiguous(error.message().to_owned()))?;
        self.budgets.lock().unwrap().insert(write.owner.to_string(), write.value);
        match self.script.parameters.get("set") {
            Some(_) => Err(ambiguous("the answer is lost".to_owned())),
            None => Ok(()),
        }
    }

    async fn validate(&self, _: &Ctx, _: &AdWrite) -> Result<(), WriteFailure> {
        Ok(())
    }

    async fn activities(&self, _: &Ctx, _: &str, _: &Owner, _: Timestamp) -> Result<Vec<Activity>> {
        self.begin().await?;
        Err(Error::new(ErrorKind::Unsupported, "host", "there is no log"))
    }

    async fn insights(&self, _: &Ctx, _: &str, _: Timestamp, _: Timestamp) -> Result<Vec<AdInsight>> {
        Ok(Vec::new())
    }
}
