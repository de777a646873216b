use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use serde::Deserialize;
use url::Url;
use xynergy_core::config::{Secret, SecretRef, SecretSource};
use xynergy_core::env::{HttpRequest, HttpSend};
use xynergy_core::{Ctx, Error, ErrorKind, Result, Retry, TenantId, Timestamp};

use super::config::OAuthConfig;
use super::error;
use crate::http::api::below;

pub(super) const OPERATION: &str = "hubspot.oauth";

/// HubSpot turns `oauth/v1` off on 16 February 2027, and names this one in its place.
const PATH: &str = "oauth/2026-03/token";
const MAX_RESPONSE_BYTES: usize = 64 * 1024;
/// How long before its end a token is no longer used.
const MARGIN: Duration = Duration::from_secs(10);
/// For how long a refusal stands before the token is asked for again.
const REFUSED_FOR: Duration = Duration::from_secs(5);
/// The longest that a token is believed to live, whatever the answer says.
const LONGEST_LIFE: Duration = Duration::from_secs(86_400);

/// The access tokens of the tenants, each asked for with the tenant's refresh token and kept until it ends. Of many calls that need
/// one at once, one asks; a token is replaced while the last sixth of its life still lets calls through.
pub(super) struct AccessTokens {
    config: OAuthConfig,
    client_secret: SecretRef,
    token_url: Url,
    timeout: Duration,
    http: Arc<dyn HttpSend>,
    secrets: Arc<dyn SecretSource>,
    tenants: Mutex<BTreeMap<TenantId, Arc<Slot>>>,
}

#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct State {
    kept: Option<Kept>,
    refused: Option<Refused>,
}

#[derive(Clone)]
struct Kept {
    token: Secret,
    asked_at: Timestamp,
    /// From when on it is replaced.
    due: Timestamp,
    /// Until when it is used.
    ends: Timestamp,
}

#[derive(Clone)]
struct Refused {
    kind: ErrorKind,
    message: String,
    retry: Retry,
    until: Timestamp,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: u64,
}

impl Kept {
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.asked_at <= now && now < self.due
    }

    fn is_usable(&self, now: Timestamp) -> bool {
        self.asked_at <= now && now < self.ends
    }
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AccessTokens {
    pub(super) fn new(
        config: OAuthConfig,
        client_secret: &SecretRef,
        base_url: &Url,
        timeout: Duration,
        http: Arc<dyn HttpSend>,
        secrets: Arc<dyn SecretSource>,
    ) -> Self {
        let client_secret = config.client_secret.clone().unwrap_or_else(|| client_secret.clone());
        let token_url = below(base_url, PATH);
        Self { config, client_secret, token_url, timeout, http, secrets, tenants: Mutex::default() }
    }

    /// The tenant's access token. Cancel safe: whoever waits next asks anew.
    pub(super) async fn get(&self, ctx: &Ctx) -> Result<Secret> {
        let slot = self.slot(&ctx.tenant);
        let now = ctx.env.clock.now();
        let kept = slot.state().kept.clone();
        let _asking = match kept {
            Some(kept) if kept.is_fresh(now) => return Ok(kept.token),
            Some(kept) if kept.is_usable(now) => match slot.asking.try_lock() {
                Ok(asking) => asking,
                // Another call replaces it.
                Err(_) => return Ok(kept.token),
            },
            _ => slot.asking.lock().await,
        };
        let now = ctx.env.clock.now();
        let State { kept, refused } = slot.state().clone();
        let usable = kept.filter(|kept| kept.is_usable(now));
        if let Some(kept) = usable.as_ref().filter(|kept| kept.is_fresh(now)) {
            return Ok(kept.token.clone());
        }
        if let Some(refused) = refused.filter(|refused| now < refused.until) {
            return match usable {
                Some(kept) => Ok(kept.token),
                None => Err(Error::new(refused.kind, OPERATION, refused.message).with_retry(refused.retry)),
            };
        }
        match self.ask(ctx).await {
            Ok(kept) => {
                let token = kept.token.clone();
                *slot.state() = State { kept: Some(kept), refused: None };
                Ok(token)
            }
            Err(error) => {
                let refused = Refused {
                    kind: error.kind(),
                    message: error.message().to_owned(),
                    retry: error.retry(),
                    until: ctx.env.clock.now().plus(REFUSED_FOR),
                };
                slot.state().refused = Some(refused);
                match usable {
                    Some(kept) => {
                        tracing::warn!(
                            event = "access_token_not_renewed",
                            tenant_id = ctx.tenant.as_str(),
                            kind = error.kind().as_str(),
                        );
                        Ok(kept.token)
                    }
                    None => Err(error),
                }
            }
        }
    }

    /// Forgets a token that HubSpot refused; a newer one stays.
    pub(super) fn refused(&self, tenant: &TenantId, token: &Secret) {
        let slot = self.slot(tenant);
        let mut state = slot.state();
        if state.kept.as_ref().is_some_and(|kept| kept.token.expose() == token.expose()) {
            state.kept = None;
        }
    }

    fn slot(&self, tenant: &TenantId) -> Arc<Slot> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(tenants.entry(tenant.clone()).or_default())
    }

    async fn ask(&self, ctx: &Ctx) -> Result<Kept> {
        let secret = |reference| self.secrets.get(&ctx.tenant, reference);
        let client_id = secret(&self.config.client_id).await?;
        let client_secret = secret(&self.client_secret).await?;
        let refresh_token = secret(&self.config.refresh_token).await?;
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", client_id.expose())
            .append_pair("client_secret", client_secret.expose())
            .append_pair("refresh_token", refresh_token.expose())
            .finish();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let request = HttpRequest {
            method: Method::POST,
            url: self.token_url.clone(),
            headers,
            body: Bytes::from(form),
            timeout: self.timeout,
            max_response_bytes: MAX_RESPONSE_BYTES,
        };
        let asked_at = ctx.env.clock.now();
        let response =
            self.http.send(request).await.map_err(|e| error::from_failure(e).in_operation(OPERATION))?;
        if !response.status.is_success() {
            if response.status.is_client_error() && response.status.as_u16() != 429 {
                self.secrets.refused(&ctx.tenant, &self.config.refresh_token, &refresh_token);
            }
            return Err(error::of_token(&response));
        }
        let answer: Answer = serde_json::from_slice(&response.body).map_err(|_| {
            // The answer may hold a token: nothing of it is shown.
            Error::new(ErrorKind::Unavailable, OPERATION, "the answer is not what HubSpot's OAuth describes")
        })?;
        let life = Duration::from_secs(answer.expires_in).min(LONGEST_LIFE);
        let ends = asked_at.plus(life.saturating_sub(MARGIN));
        let due = asked_at.plus((life - life / 6).min(life.saturating_sub(MARGIN)));
        Ok(Kept { token: Secret::new(answer.access_token), asked_at, due, ends })
    }
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokens").field("config", &self.config).finish_non_exhaustive()
    }
}
