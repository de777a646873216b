//! What the backends of APIs with a bearer token share.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;
use xynergy_core::config::{Secret, is_loopback};
use xynergy_core::{Ctx, Error, ErrorKind, Result};

/// An API's configured address without a slash at its end. The token that goes there needs https; plain http is for
/// this machine.
pub(crate) fn base_url(text: &str, operation: &'static str) -> Result<Url> {
    let invalid = |message: &'static str| Error::new(ErrorKind::ConfigInvalid, operation, message);
    let url = Url::parse(text.trim_end_matches('/'))
        .map_err(|e| invalid("base_url: is no address such as https://host").with_source(e))?;
    let secure = match url.scheme() {
        "https" => true,
        "http" => is_loopback(&url),
        _ => false,
    };
    if !secure {
        return Err(invalid("base_url: the access token needs https (plain http is for a loopback address)"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(
            "base_url: holds a user name or password: name the token in access_token instead",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("base_url: has a query or fragment: give the address up to the path"));
    }
    Ok(url)
}

/// The address of `path` below `base`.
pub(crate) fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let start = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{start}/{path}"));
    url
}

/// The token, and what ties the request to the caller's own traces.
pub(crate) fn headers(ctx: &Ctx, token: &Secret, operation: &'static str) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| {
        Error::new(ErrorKind::Unauthorized, operation, "access_token: holds characters that no header can")
    })?;
    bearer.set_sensitive(true);
    headers.insert(AUTHORIZATION, bearer);
    let passed_on = [("x-request-id", Some(&ctx.request_id)), ("traceparent", ctx.traceparent.as_ref())];
    for (name, value) in passed_on {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    Ok(headers)
}
