//! What the headers of an answer tell of waiting and of limits, in every form that providers use.

use std::time::{Duration, UNIX_EPOCH};

use http::HeaderMap;
use xynergy_core::env::Timestamp;
use xynergy_core::rate::RateLimits;

/// How long the provider asks to wait: milliseconds, seconds or a date. What is not positive and finite is passed over.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let number = |name: &str| text(headers, name)?.parse::<f64>().ok();
    let positive = |seconds: f64| Duration::try_from_secs_f64(seconds).ok().filter(|wait| !wait.is_zero());
    let milliseconds = |name: &str| number(name).and_then(|ms| positive(ms / 1_000.0));
    let date = || {
        let date = httpdate::parse_http_date(text(headers, "retry-after")?).ok()?;
        until(Timestamp::default().plus(date.duration_since(UNIX_EPOCH).ok()?), now)
    };
    milliseconds("retry-after-ms")
        .or_else(|| milliseconds("x-ms-retry-after-ms"))
        .or_else(|| number("retry-after").and_then(positive))
        .or_else(date)
}

/// Reads `x-ratelimit-*` and `anthropic-ratelimit-*`. The times are Go durations, seconds or RFC 3339.
pub fn rate_limits(headers: &HeaderMap, now: Timestamp) -> RateLimits {
    let mut limits = RateLimits::default();
    // Most answers have none, and there are a dozen names.
    let told = headers.iter().filter(|(name, _)| name.as_str().contains("ratelimit-"));
    for (name, value) in told {
        let Some((what, part)) = of_limit(name.as_str()) else { continue };
        let Ok(text) = value.to_str().map(str::trim) else { continue };
        let allowance = match what {
            "requests" => &mut limits.requests,
            "tokens" => &mut limits.tokens,
            "input-tokens" => &mut limits.input_tokens,
            "output-tokens" => &mut limits.output_tokens,
            _ => continue,
        };
        match part {
            "limit" => allowance.limit = allowance.limit.or_else(|| text.parse().ok()),
            "remaining" => allowance.remaining = allowance.remaining.or_else(|| text.parse().ok()),
            "reset" => allowance.full_in = allowance.full_in.or_else(|| time_until(text, now)),
            _ => {}
        }
    }
    limits
}

/// What a header is about, and which figure it has: OpenAI and Anthropic name them in turned order.
fn of_limit(name: &str) -> Option<(&str, &str)> {
    if let Some(rest) = name.strip_prefix("x-ratelimit-") {
        return rest.split_once('-').map(|(part, what)| (what, part));
    }
    name.strip_prefix("anthropic-ratelimit-")?.rsplit_once('-')
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn until(then: Timestamp, now: Timestamp) -> Option<Duration> {
    Some(then.since(now)).filter(|wait| !wait.is_zero())
}

fn time_until(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    go_duration(text).or_else(|| until(text.parse().ok()?, now))
}

/// `1s`, `6m0s`, `12ms`, `1h2m3.5s`.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let unit =
            rest[number..].find(|letter: char| letter.is_ascii_digit()).map_or(rest.len(), |at| at + number);
        let seconds = match &rest[number..unit] {
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" | "μs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(rest[..number].parse::<f64>().ok()? * seconds).ok()?;
        total = total.checked_add(part)?;
        rest = &rest[unit..];
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xynergy_core::rate::Allowance;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn waits_are_read_in_every_form_and_order() {
        let wait = |pairs: &[(&'static str, &str)]| retry_after(&headers(pairs), now());
        let ms = |ms| Some(Duration::from_millis(ms));
        assert_eq!(wait(&[("retry-after-ms", "1500"), ("retry-after", "9")]), ms(1_500));
        assert_eq!(wait(&[("retry-after-ms", "0"), ("retry-after", "1")]), ms(1_000));
        assert_eq!(wait(&[("x-ms-retry-after-ms", "250"), ("retry-after", "1")]), ms(250));
        assert_eq!(wait(&[("retry-after", " 0.25 ")]), ms(250));
        assert_eq!(wait(&[("retry-after", "Sun, 01 Mar 2026 12:00:07 GMT")]), ms(7_000));
        for odd in ["-1", "0", "NaN", "inf", "1e400", "soon", "", "Sun, 01 Mar 2020 12:00:07 GMT"] {
            assert_eq!(wait(&[("retry-after", odd)]), None, "{odd}");
        }
    }

    #[test]
    fn limits_are_read_from_every_vendor() {
        let openai = headers(&[
            ("x-ratelimit-limit-requests", "30000"),
            ("x-ratelimit-remaining-requests", "29999"),
            ("x-ratelimit-reset-requests", "2ms"),
            ("x-ratelimit-limit-tokens", "150000"),
            ("x-ratelimit-remaining-tokens", "0"),
            ("x-ratelimit-reset-tokens", "6m0s"),
        ]);
        let limits = rate_limits(&openai, now());
        assert_eq!(limits.requests.remaining, Some(29_999));
        assert_eq!(limits.requests.full_in, Some(Duration::from_millis(2)));
        assert_eq!((limits.tokens.limit, limits.tokens.remaining), (Some(150_000), Some(0)));
        assert_eq!(limits.tokens.full_in, Some(Duration::from_secs(360)));
        assert_eq!(limits.pairs().len(), 6);

        let azure = headers(&[
            ("x-ratelimit-limit-tokens", "-1"),
            ("x-ratelimit-remaining-tokens", "-1"),
            ("x-ratelimit-reset-tokens", "42"),
        ]);
        let limits = rate_limits(&azure, now());
        let full_in = Some(Duration::from_secs(42));
        assert_eq!(limits.tokens, Allowance { limit: None, remaining: None, full_in });
        assert_eq!(limits.requests, Allowance::default());

        let anthropic = headers(&[
            ("anthropic-ratelimit-input-tokens-remaining", "7"),
            ("anthropic-ratelimit-requests-reset", "2026-03-01T12:00:05Z"),
        ]);
        let limits = rate_limits(&anthropic, now());
        assert_eq!(limits.input_tokens.remaining, Some(7));
        assert_eq!(limits.requests.full_in, Some(Duration::from_secs(5)));
    }

    #[test]
    fn durations_are_those_of_go() {
        let ms = |text: &str| go_duration(text).map(|time| time.as_millis());
        assert_eq!(ms("1h2m3.5s"), Some(3_723_500));
        assert_eq!((ms("12ms"), ms("0s"), ms("500µs")), (Some(12), Some(0), Some(0)));
        for odd in ["", "s", "1", "1x", "-1s", "1.2.3s", "1s2", "99999999999999999999h", " 1s"] {
            assert_eq!(ms(odd), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_breaks_it(value in "[ -~]{0,30}", micros in 0_i64..4_000_000_000_000_000) {
            let now = Timestamp::from_micros(micros);
            for name in ["retry-after", "retry-after-ms", "x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens"] {
                let headers = headers(&[(name, &value)]);
                prop_assert!(retry_after(&headers, now).is_none_or(|wait| !wait.is_zero()));
                let _ = rate_limits(&headers, now);
            }
        }
    }
}
