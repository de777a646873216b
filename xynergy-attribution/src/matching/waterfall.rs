//! A receipt for people: as text, and as a picture of how each piece of evidence moved the odds.

use std::fmt::Write as _;

use super::layers::ChooseBy;
use super::ppm::{ONE, Ppm, unmicro};
use super::receipt::{ByModel, Receipt};

/// The most candidates that a text lists.
const LISTED: usize = 10;

/// Odds beyond so many bits are drawn as these.
const MOST_BITS: f64 = 20.0;

impl Receipt<'_> {
    /// What was seen and what decided, in a few lines.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |words: String| {
            text.push_str(&words);
            text.push('\n');
        };
        match &self.found {
            Some(found) => line(format!(
                "Ad {}, by {}{} (rules {}).",
                found.ad_id,
                self.method(),
                found.click.map(|key| format!(", click {key}")).unwrap_or_default(),
                self.rule_version
            )),
            None => line(format!("No ad (rules {}).", self.rule_version)),
        }
        line(format!("Conversion at {}.", self.anchor));
        if let Some(probability) = self.probability {
            line(format!("Probability that this click is behind it: {}.", share(probability)));
        }
        if let Some(none) = self.p_none {
            line(format!("Probability that no click is behind it: {}.", share(none)));
        }
        if let Some(ad) = &self.ad_of_first_url {
            line(format!("The first URL names the ad {ad}."));
        }
        if self.credit_stays {
            line("What it rests on was forgotten; the ad keeps the credit.".to_owned());
        }
        line(format!("Candidates by click id, fingerprint, or address and agent: {}.", self.candidates_seen));
        for candidate in self.candidates.iter().take(LISTED) {
            let key = candidate.click.map_or_else(|| "erased".to_owned(), |key| key.to_string());
            line(format!(
                "  layer {}, {}, ad {}, click {key}",
                candidate.layer, candidate.at, candidate.ad_id
            ));
        }
        if let Some(model) = &self.model {
            line(format!(
                "Model {} weighed the clicks of the network, which has {} others; prior {}.",
                model.version,
                model.others,
                share(model.stated.prior)
            ));
            for (candidate, probability) in
                model.candidates.iter().zip(&model.stated.probabilities).take(LISTED)
            {
                let parts =
                    candidate.bits.parts().map(|(name, bits)| format!("{name} {:+.2}", unmicro(bits)));
                line(format!(
                    "  {}: {}, ad {}: {:+.2} bits ({})",
                    share(*probability),
                    candidate.at,
                    candidate.ad_id,
                    unmicro(candidate.bits.sum()),
                    parts.join(", ")
                ));
            }
            line(format!("  {}: one of the clicks that are not listed", share(model.stated.rest)));
            line(format!("  {}: none", share(model.stated.none)));
        }
        text
    }

    /// The same as a picture: from the prior odds over each piece of evidence to the probability, in bits; without a model the candidates
    /// with the confidence of their tier. An SVG document of its own.
    pub fn svg(&self) -> String {
        match self.model.as_ref().and_then(|model| self.steps(model)) {
            Some((title, steps)) => waterfall(&title, &steps),
            None => self.tiers(),
        }
    }

    /// `url`, `click_id`, `fingerprint`, `probabilistic`, or `none`.
    fn method(&self) -> &'static str {
        match self.found.as_ref().map(|found| (found.layer, found.click.is_some())) {
            None => "none",
            Some((1, _))
                if self.ad_of_first_url.is_some() && self.candidates.first().is_none_or(|c| c.layer != 1) =>
            {
                "url"
            }
            Some((1, _)) => "click_id",
            Some((2, _)) => "fingerprint",
            Some(_) => "probabilistic",
        }
    }

    /// What moved the odds of the chosen click, or of the likeliest where none was chosen.
    fn steps(&self, model: &ByModel<'_>) -> Option<(String, Vec<Step>)> {
        let key = self.found.as_ref().and_then(|found| found.click);
        let chosen = model.candidates.iter().position(|candidate| key.is_some() && candidate.click == key);
        let at = chosen.unwrap_or(0);
        let (candidate, probability) = (model.candidates.get(at)?, *model.stated.probabilities.get(at)?);
        let mut steps = Vec::new();
        let mut odds = 0.0;
        let mut step = |name: String, to: f64| {
            steps.push(Step { name, from: odds, to });
            odds = to;
        };
        let prior = bits_of(model.stated.prior);
        step(format!("prior {}", share(model.stated.prior)), prior);
        let mut sum = prior;
        for (name, bits) in candidate.bits.parts() {
            sum += unmicro(bits);
            step(name.to_owned(), sum);
        }
        step("other clicks and calibration".to_owned(), bits_of(probability));
        let title = format!(
            "{} {}: probability {}",
            if chosen.is_some() { "Click on ad" } else { "Not chosen: click on ad" },
            candidate.ad_id,
            share(probability)
        );
        Some((title, steps))
    }

    fn tiers(&self) -> String {
        let rule = match self.choose_by {
            ChooseBy::Tier => "by tier",
            ChooseBy::Probability => "by tier, for no model weighed it",
        };
        let title = match &self.found {
            Some(found) => format!("Ad {}, by {} ({rule})", found.ad_id, self.method()),
            None => format!("No ad ({rule})"),
        };
        let mut bars: Vec<(String, u32)> = Vec::new();
        if let Some(ad) = &self.ad_of_first_url {
            bars.push((format!("first URL, ad {ad}"), 1000));
        }
        for candidate in self.candidates.iter().take(LISTED) {
            let confidence = match candidate.layer {
                1 => 1000,
                2 => 900,
                _ => 700,
            };
            bars.push((format!("layer {}, ad {}", candidate.layer, candidate.ad_id), confidence));
        }
        let mut picture = Picture::new(&title, bars.len());
        for (name, permille) in bars {
            let width = f64::from(permille) / 1000.0 * WIDTH;
            picture.bar(
                &name,
                LEFT,
                width,
                "#3b6ea5",
                &format!("0.{permille:03}").replace("0.1000", "1.000"),
            );
        }
        picture.finish()
    }
}

struct Step {
    name: String,
    from: f64,
    to: f64,
}

fn waterfall(title: &str, steps: &[Step]) -> String {
    let ends =
        || steps.iter().flat_map(|step| [step.from, step.to]).map(|bits| bits.clamp(-MOST_BITS, MOST_BITS));
    let low = ends().fold(-1.0, f64::min);
    let high = ends().fold(1.0, f64::max);
    let x = |bits: f64| LEFT + (bits.clamp(-MOST_BITS, MOST_BITS) - low) / (high - low) * WIDTH;
    let mut picture = Picture::new(title, steps.len() + 1);
    for step in steps {
        let (from, to) = (x(step.from), x(step.to));
        let colour = if step.to >= step.from { "#2e8b57" } else { "#b5483a" };
        picture.bar(
            &step.name,
            from.min(to),
            (to - from).abs(),
            colour,
            &format!("{:+.2} bits", step.to - step.from),
        );
    }
    let last = steps.last().map_or(0.0, |step| step.to);
    picture.bar(
        "odds",
        x(0.0).min(x(last)),
        (x(last) - x(0.0)).abs(),
        "#3b6ea5",
        &format!("{last:+.2} bits"),
    );
    picture.line(x(0.0));
    picture.finish()
}

const LEFT: f64 = 220.0;
const WIDTH: f64 = 380.0;
const ROW: f64 = 26.0;
const TOP: f64 = 44.0;

/// Rows of labelled bars as an SVG document.
struct Picture {
    svg: String,
    rows: usize,
    next: usize,
}

impl Picture {
    fn new(title: &str, rows: usize) -> Self {
        let mut svg = String::new();
        let height = TOP + ROW * rows as f64 + 12.0;
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"{height:.0}\" viewBox=\"0 0 720 {height:.0}\" \
             font-family=\"sans-serif\" font-size=\"13\" role=\"img\"><title>{title}</title>\
             <rect width=\"720\" height=\"{height:.0}\" fill=\"#ffffff\"/>\
             <text x=\"12\" y=\"26\" font-size=\"15\" fill=\"#222222\">{title}</text>",
            title = escaped(title)
        );
        Self { svg, rows, next: 0 }
    }

    fn bar(&mut self, name: &str, x: f64, width: f64, colour: &str, value: &str) {
        let y = TOP + ROW * self.next as f64;
        self.next += 1;
        let _ = write!(
            self.svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#222222\">{}</text>\
             <rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"18\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" fill=\"#222222\">{}</text>",
            LEFT - 10.0,
            y + 14.0,
            escaped(&shortened(name)),
            width.max(1.0),
            LEFT + WIDTH + 12.0,
            y + 14.0,
            escaped(value)
        );
    }

    fn line(&mut self, x: f64) {
        let bottom = TOP + ROW * self.rows as f64;
        let _ = write!(
            self.svg,
            "<line x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" stroke=\"#888888\" stroke-dasharray=\"3 3\"/>",
            TOP - 6.0
        );
    }

    fn finish(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }
}

fn shortened(name: &str) -> String {
    const MOST: usize = 30;
    if name.chars().count() <= MOST {
        return name.to_owned();
    }
    name.chars().take(MOST - 1).chain(['…']).collect()
}

/// Text that is safe in XML: what a document may not hold is left out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// Odds of a probability in bits.
fn bits_of(probability: Ppm) -> f64 {
    let p = f64::from(probability.clamp(1, ONE - 1)) / f64::from(ONE);
    libm::log2(p) - libm::log2(1.0 - p)
}

/// Six digits after the point.
fn share(parts: Ppm) -> String {
    format!("{}.{:06}", parts / ONE, parts % ONE)
}

#[cfg(test)]
mod tests {
    use xynergy_core::Timestamp;
    use xynergy_core::store::KeyedHash;

    use super::super::calibrate::Calibration;
    use super::super::model::Weights;
    use super::super::posterior::Posterior;
    use super::super::receipt::{Chosen, Line, WeighedLine};
    use super::*;

    fn receipt(model: bool) -> Receipt<'static> {
        let (click, at) = (Some(KeyedHash::from_bytes([7; 16])), Timestamp::from_millis(1_000));
        let bits = Weights {
            network: 3_000_000,
            likeness: 0,
            agent: 2_500_000,
            language: 500_000,
            campaign: 0,
            lag: 1_000_000,
        };
        let posterior = Posterior { prior: 400_000, bits: vec![bits.sum()], rest: 0, unlisted: 0 };
        let curve = Calibration::default().segment(posterior.said());
        let stated = posterior.stated(curve, None);
        Receipt {
            rule_version: "layers-2".into(),
            choose_by: ChooseBy::Tier,
            anchor: Timestamp::from_millis(2_000),
            found: Some(Chosen { layer: 2, click, ad_id: "ad <1> & \"x\"".into() }),
            probability: model.then(|| stated.probabilities[0]),
            p_none: model.then_some(stated.none),
            candidates: vec![Line { layer: 2, at, click, ad_id: "ad <1> & \"x\"".into() }],
            candidates_seen: 1,
            ad_of_first_url: None,
            credit_stays: false,
            model: model.then(|| ByModel {
                version: "fs1-0".into(),
                others: 2,
                candidates: vec![WeighedLine { at, click, ad_id: "ad <1> & \"x\"".into(), bits }],
                stated,
            }),
        }
    }

    #[test]
    fn the_text_says_what_decided() {
        let text = receipt(true).text();
        for part in ["by fingerprint", "0.988417", "+7.00 bits", "network +3.00", "prior 0.400000"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!receipt(false).text().contains("Probability"));
    }

    #[test]
    fn the_picture_is_whole_and_holds_no_foreign_markup() {
        for (model, bars) in [(true, 10), (false, 2)] {
            let svg = receipt(model).svg();
            assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
            assert!(!svg.contains("<1>") && svg.contains("&lt;1&gt; &amp; &quot;x&quot;"), "{svg}");
            assert_eq!(svg.matches("<rect ").count(), bars, "{svg}");
            assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
        }
        assert!(receipt(true).svg().contains("+2.50 bits"));
    }
}
