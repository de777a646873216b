use std::collections::BTreeMap;

use super::bots::is_bot;

/// The client hints that are read, as header names in small letters.
const HINTS: [&str; 6] = [
    "sec-ch-ua",
    "sec-ch-ua-full-version-list",
    "sec-ch-ua-mobile",
    "sec-ch-ua-model",
    "sec-ch-ua-platform",
    "sec-ch-ua-platform-version",
];

/// The client hints of a request by header name in small letters, each as it was sent.
pub type ClientHints = BTreeMap<String, String>;

/// What a user agent and its client hints tell, as far as they tell anything.
///
/// Chrome and its kin have frozen most of the text: the platform's version is always `Android 10; K`, `Windows NT 10.0`,
/// `Mac OS X 10_15_7` or `Linux x86_64`, and behind the major version stand zeros. What is frozen is treated as missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// The browser with its major version, as `chrome 120`.
    pub browser: Option<String>,
    /// The class of the platform: `android`, `ios`, `windows`, `macos`, `chromeos` or `linux`.
    pub platform: Option<String>,
    /// The platform's version, where it is not frozen, as `14.0.0`.
    pub platform_version: Option<String>,
    /// The device's model, where it is told, as `Pixel 7`.
    pub model: Option<String>,
    /// Whether the text is frozen: equal for everybody who has this browser on this class of platform.
    pub frozen: bool,
    /// Whether it says of itself that it is a program.
    pub bot: bool,
}

/// Browsers by the mark in the text, the most particular first: nearly all call themselves Safari and Chrome too.
const BROWSERS: [(&str, &str); 20] = [
    ("FBAV/", "facebook"),
    ("Instagram ", "instagram"),
    ("musical_ly_", "tiktok"),
    ("BytedanceWebview/", "tiktok"),
    ("LinkedInApp/", "linkedin"),
    ("Snapchat/", "snapchat"),
    ("Pinterest/", "pinterest"),
    ("GSA/", "google app"),
    ("EdgA/", "edge"),
    ("EdgiOS/", "edge"),
    ("Edg/", "edge"),
    ("OPR/", "opera"),
    ("SamsungBrowser/", "samsung internet"),
    ("UCBrowser/", "uc browser"),
    ("YaBrowser/", "yandex browser"),
    ("CriOS/", "chrome"),
    ("FxiOS/", "firefox"),
    ("Firefox/", "firefox"),
    ("Chrome/", "chrome"),
    ("Version/", "safari"),
];

/// Names in `Sec-CH-UA`, the most particular first; what is not listed there is made up to keep parsers honest (GREASE).
const BRANDS: [(&str, &str); 8] = [
    ("Microsoft Edge", "edge"),
    ("Opera", "opera"),
    ("Samsung Internet", "samsung internet"),
    ("YaBrowser", "yandex browser"),
    ("Yandex", "yandex browser"),
    ("Brave", "brave"),
    ("Google Chrome", "chrome"),
    ("Chromium", "chrome"),
];

impl Agent {
    /// What they tell. Hints win over the text: they are not frozen.
    pub fn of(user_agent: &str, hints: &ClientHints) -> Self {
        let agent = Self::of_text(user_agent.trim());
        let platform = hint(hints, "sec-ch-ua-platform").and_then(|name| platform_of_hint(&name));
        let version = hint(hints, "sec-ch-ua-platform-version").filter(|version| is_version(version));
        Self {
            browser: browser_of_hints(hints).or(agent.browser),
            platform: platform.map(str::to_owned).or(agent.platform),
            platform_version: version.or(agent.platform_version),
            model: hint(hints, "sec-ch-ua-model").or(agent.model),
            ..agent
        }
    }

    /// Whether the hints told more than a frozen text does.
    pub(super) fn has_detail(&self) -> bool {
        self.platform_version.is_some() || self.model.is_some()
    }

    fn of_text(text: &str) -> Self {
        let platform = platform_of_text(text);
        let chromium = after(text, "Chrome/").is_some();
        let frozen = chromium && is_frozen(text, platform);
        Self {
            browser: browser_of_text(text),
            platform: platform.map(str::to_owned),
            platform_version: (!frozen).then(|| version_of_text(text, platform)).flatten(),
            model: None,
            frozen,
            bot: is_bot(text),
        }
    }
}

/// Whether a header is a client hint that is read.
pub(super) fn is_hint(name: &str) -> bool {
    HINTS.contains(&name)
}

fn browser_of_text(text: &str) -> Option<String> {
    BROWSERS.iter().find_map(|(mark, name)| Some(format!("{name} {}", major(after(text, mark)?)?)))
}

fn browser_of_hints(hints: &ClientHints) -> Option<String> {
    let brands = hints.get("sec-ch-ua").or_else(|| hints.get("sec-ch-ua-full-version-list"))?;
    BRANDS.iter().find_map(|(brand, name)| {
        let rest = after(brands, &format!("\"{brand}\""))?;
        Some(format!("{name} {}", major(after(rest, "v=\"")?)?))
    })
}

fn platform_of_hint(name: &str) -> Option<&'static str> {
    Some(match name {
        "Android" => "android",
        "iOS" => "ios",
        "Windows" => "windows",
        "macOS" => "macos",
        "Chrome OS" | "Chromium OS" => "chromeos",
        "Linux" => "linux",
        _ => return None,
    })
}

fn platform_of_text(text: &str) -> Option<&'static str> {
    const MARKS: [(&str, &str); 9] = [
        ("iPhone", "ios"),
        ("iPad", "ios"),
        ("iPod", "ios"),
        ("Android", "android"),
        ("Windows", "windows"),
        ("CrOS", "chromeos"),
        ("Macintosh", "macos"),
        ("Mac OS X", "macos"),
        ("Linux", "linux"),
    ];
    MARKS.iter().find(|(mark, _)| text.contains(mark)).map(|(_, name)| *name)
}

/// The reduced text of Chrome 110 and later, and of what is built on it.
fn is_frozen(text: &str, platform: Option<&str>) -> bool {
    let fixed = match platform {
        Some("android") => text.contains("(Linux; Android 10; K)"),
        Some("windows") => text.contains("(Windows NT 10.0; Win64; x64)"),
        Some("macos") => text.contains("(Macintosh; Intel Mac OS X 10_15_7)"),
        Some("chromeos") => text.contains("(X11; CrOS x86_64 14541.0.0)"),
        Some("linux") => text.contains("(X11; Linux x86_64)"),
        _ => false,
    };
    let reduced = after(text, "Chrome/").and_then(|rest| rest.split_once('.')).is_some_and(|(_, minor)| {
        minor.strip_prefix("0.0.0").is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
    });
    fixed && reduced
}

fn version_of_text(text: &str, platform: Option<&str>) -> Option<String> {
    let mark = match platform? {
        "ios" => "OS ",
        "android" => "Android ",
        "windows" => "Windows NT ",
        "macos" => "Mac OS X ",
        _ => return None,
    };
    let rest = after(text, mark)?;
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(rest.len());
    let version = rest.get(..end)?.replace('_', ".");
    // Safari and Firefox freeze these two as well.
    is_version(&version)
        .then_some(version)
        .filter(|version| !matches!(version.as_str(), "10.15.7" | "10.15" | "10.0"))
}

/// A hint without its quotes; none when it is empty.
fn hint(hints: &ClientHints, name: &str) -> Option<String> {
    let value = hints.get(name)?.trim();
    let value = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    (!value.is_empty() && value.len() <= 100).then(|| value.to_owned())
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.len() <= 20
}

fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.find(mark).and_then(|at| text.get(at + mark.len()..))
}

/// The number at the start, of up to four digits.
fn major(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).filter(|digits| (1..=4).contains(&digits.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REDUCED: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36";

    fn bare(agent: &str) -> Agent {
        Agent::of(agent, &ClientHints::new())
    }

    #[test]
    fn buckets_are_browser_and_class_of_platform() {
        for (agent, browser, platform, version, frozen) in [
            (REDUCED, "chrome 120", "android", None, true),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36 Edg/119.0.0.0",
                "edge 119",
                "windows",
                None,
                true,
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/100.0.4896.75 Safari/537.36",
                "chrome 100",
                "windows",
                None,
                false,
            ),
            (
                "Mozilla/5.0 (Linux; Android 13; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36",
                "samsung internet 23",
                "android",
                Some("13"),
                false,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1",
                "safari 17",
                "ios",
                Some("17.2.1"),
                false,
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15",
                "safari 17",
                "macos",
                None,
                false,
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
                "firefox 121",
                "linux",
                None,
                false,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 289.0.0.18.109 (iPhone14,5; iOS 16_5)",
                "instagram 289",
                "ios",
                Some("16.5"),
                false,
            ),
        ] {
            let read = bare(agent);
            assert_eq!(read.browser.as_deref(), Some(browser), "{agent}");
            assert_eq!(read.platform.as_deref(), Some(platform), "{agent}");
            assert_eq!(read.platform_version.as_deref(), version, "{agent}");
            assert_eq!((read.frozen, read.bot), (frozen, false), "{agent}");
        }
        assert_eq!(bare(""), Agent::default());
        assert_eq!(bare("Agent/1"), Agent::default());
    }

    #[test]
    fn hints_stand_in_for_what_is_frozen() {
        let hints = [
            ("sec-ch-ua", "\"Not_A Brand\";v=\"8\", \"Chromium\";v=\"120\", \"Google Chrome\";v=\"120\""),
            ("sec-ch-ua-platform", "\"Android\""),
            ("sec-ch-ua-platform-version", "\"14.0.0\""),
            ("sec-ch-ua-model", "\"Pixel 7\""),
        ];
        let hints: ClientHints = hints.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let read = Agent::of(REDUCED, &hints);
        assert_eq!(read.browser.as_deref(), Some("chrome 120"));
        assert_eq!(read.platform_version.as_deref(), Some("14.0.0"));
        assert_eq!(read.model.as_deref(), Some("Pixel 7"));
        assert!(read.frozen && read.has_detail() && !bare(REDUCED).has_detail());
        assert_eq!(Agent::of("", &hints).platform.as_deref(), Some("android"), "also without a text");
        let edge =
            [("sec-ch-ua".to_owned(), "\"Chromium\";v=\"119\", \"Microsoft Edge\";v=\"119\"".to_owned())];
        assert_eq!(Agent::of("", &edge.into()).browser.as_deref(), Some("edge 119"));
        let empty = [("sec-ch-ua-model".to_owned(), "\"\"".to_owned())];
        assert_eq!(Agent::of("", &empty.into()), Agent::default(), "a computer has no model");
    }

    proptest! {
        #[test]
        fn any_text_is_read(agent in "\\PC{0,120}", brands in "\\PC{0,60}", head in "(Chrome|Version|Android |OS |bot){0,3}") {
            let hints = [("sec-ch-ua".to_owned(), brands.clone()), ("sec-ch-ua-platform-version".to_owned(), brands)];
            let read = Agent::of(&format!("{head}{agent}"), &hints.into());
            if let Some(browser) = read.browser {
                prop_assert!(browser.ends_with(|c: char| c.is_ascii_digit()), "{}", browser);
            }
        }
    }
}
