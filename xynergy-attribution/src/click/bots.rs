/// What programs that fetch pages call themselves, in small letters: crawlers, link previews, scanners of mail, monitors,
/// browsers without a screen, HTTP libraries. Names that end in `bot` are found by that ending.
const NAMES: [&str; 62] = [
    "adidxbot",
    "aiohttp/",
    "apache-httpclient",
    "archive.org",
    "axios/",
    "barracuda",
    "bingpreview",
    "bytespider",
    "chatgpt-user",
    "claude-web",
    "cloudflare-alwaysonline",
    "cohere-ai",
    "crawl",
    "curl/",
    "datanyze",
    "dataprovider",
    "electron-fetch",
    "embedly",
    "facebookcatalog",
    "facebookexternalhit",
    "feedfetcher",
    "flipboardproxy",
    "go-http-client",
    "google favicon",
    "google-inspectiontool",
    "google-read-aloud",
    "google-safety",
    "googleother",
    "gtmetrix",
    "guzzlehttp",
    "headlesschrome",
    "httpx/",
    "ia_archiver",
    "java/",
    "libwww-perl",
    "lighthouse",
    "mediapartners-google",
    "meta-externalagent",
    "meta-externalfetcher",
    "mimecast",
    "newrelicpinger",
    "node-fetch",
    "node.js",
    "oai-searchbot",
    "okhttp/",
    "pagespeed",
    "perplexity",
    "phantomjs",
    "pingdom",
    "proofpoint",
    "python-requests",
    "python-urllib",
    "python/",
    "scrapy",
    "skypeuripreview",
    "slurp",
    "spider",
    "statuscake",
    "undici",
    "vkshare",
    "wget/",
    "whatsapp/",
];

/// Whether a user agent says of itself that no person is behind it. One that hides it is not found.
pub fn is_bot(user_agent: &str) -> bool {
    let agent = user_agent.to_ascii_lowercase();
    NAMES.iter().any(|name| agent.contains(name)) || ends_in_bot(&agent)
}

/// A word that ends in `bot`, as `Googlebot/2.1`. Cubot makes telephones.
fn ends_in_bot(agent: &str) -> bool {
    agent.match_indices("bot").any(|(at, found)| {
        let before = agent.get(..at).unwrap_or_default();
        let after = agent.get(at + found.len()..).unwrap_or_default();
        !before.ends_with("cu") && !after.starts_with(|next: char| next.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_bots_are_bots() {
        for agent in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.199 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "AdsBot-Google (+http://www.google.com/adsbot.html)",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
            "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
            "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "TelegramBot (like TwitterBot)",
            "WhatsApp/2.23.20.0",
            "curl/8.4.0",
            "python-requests/2.31.0",
            "Go-http-client/2.0",
            "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
        ] {
            assert!(is_bot(agent), "{agent}");
        }
    }

    #[test]
    fn people_are_none() {
        for agent in [
            "",
            "Mozilla/5.0",
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.45 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) AppleWebKit/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21C62 [FBAN/FBIOS;FBAV/443.0.0.23.229]",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 289.0.0.18.109",
        ] {
            assert!(!is_bot(agent), "{agent}");
        }
    }
}
