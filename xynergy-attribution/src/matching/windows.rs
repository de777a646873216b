use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::store::{Candidate, Layer};
use xynergy_core::{Error, ErrorKind, Result, Timestamp};

const HOUR: u64 = 60 * 60;

/// A year: no click id lives longer, and no law lets an address live that long.
const MOST_HOURS: u32 = 366 * 24;

/// How far before the conversion a click may lie, in hours by layer, the bound included; 0 never matches by that layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Windows {
    /// Equal click ids: 30 days by default.
    pub layer1_hours: u32,
    /// Equal fingerprints: 7 days by default.
    pub layer2_hours: u32,
    /// Equal address and user agent: 1 day by default.
    pub layer3_hours: u32,
    /// How far back the probability looks for clicks of the same network, for a model that is trained from now on: 7 days by default.
    pub probability_hours: u32,
    /// Other windows for the clicks of a channel, by the `utm_source` of their URL as it stands there.
    pub channels: BTreeMap<String, ChannelWindows>,
}

/// The windows of one channel; what is not given is as for the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelWindows {
    /// Equal click ids.
    pub layer1_hours: Option<u32>,
    /// Equal fingerprints.
    pub layer2_hours: Option<u32>,
    /// Equal address and user agent.
    pub layer3_hours: Option<u32>,
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            layer1_hours: 30 * 24,
            layer2_hours: 7 * 24,
            layer3_hours: 24,
            probability_hours: 7 * 24,
            channels: BTreeMap::new(),
        }
    }
}

impl Windows {
    /// Whether every window is one.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) that names the window: of more than a year, or no reach for the probability.
    pub fn validate(&self) -> Result<()> {
        let wrong = |name: &str, hours: u32, way: &str| {
            let message = format!("attribution.windows.{name}: {hours} hours {way}");
            Err(Error::new(ErrorKind::ConfigInvalid, "config", message))
        };
        let mut all = vec![
            ("layer1_hours".to_owned(), self.layer1_hours),
            ("layer2_hours".to_owned(), self.layer2_hours),
            ("layer3_hours".to_owned(), self.layer3_hours),
            ("probability_hours".to_owned(), self.probability_hours),
        ];
        for (channel, own) in &self.channels {
            let named = [
                ("layer1_hours", own.layer1_hours),
                ("layer2_hours", own.layer2_hours),
                ("layer3_hours", own.layer3_hours),
            ];
            let given = named.into_iter().filter_map(|(name, hours)| Some((name, hours?)));
            all.extend(given.map(|(name, hours)| (format!("channels.{channel}.{name}"), hours)));
        }
        if let Some((name, hours)) = all.into_iter().find(|(_, hours)| *hours > MOST_HOURS) {
            return wrong(&name, hours, &format!("are more than a year: give at most {MOST_HOURS}"));
        }
        if self.probability_hours == 0 {
            return wrong("probability_hours", 0, "reach no click: give at least 1");
        }
        Ok(())
    }

    /// How far before the conversion this click may lie; `None` where the layer is not used for its channel.
    fn reach(&self, layer: Layer, channel: Option<&str>) -> Option<Duration> {
        let own =
            if self.channels.is_empty() { None } else { channel.and_then(|name| self.channels.get(name)) };
        let (general, own) = match layer {
            Layer::Layer1 => (self.layer1_hours, own.and_then(|own| own.layer1_hours)),
            Layer::Layer2 => (self.layer2_hours, own.and_then(|own| own.layer2_hours)),
            Layer::Layer3 => (self.layer3_hours, own.and_then(|own| own.layer3_hours)),
        };
        let hours = own.unwrap_or(general);
        (hours > 0).then(|| Duration::from_secs(u64::from(hours) * HOUR))
    }

    /// Whether a click of this layer can be behind a conversion at `anchor`.
    pub(super) fn holds(&self, anchor: Timestamp, layer: Layer, click: &Candidate) -> bool {
        let reach = self.reach(layer, click.utm.source.as_deref());
        reach.is_some_and(|reach| click.at <= anchor && click.at >= anchor.minus(reach))
    }

    /// How far back the probability looks.
    pub fn probability_reach(&self) -> Duration {
        Duration::from_secs(u64::from(self.probability_hours) * HOUR)
    }

    /// The time in which a click can match a conversion at `anchor` at all: first and last moment, both included.
    pub fn around(&self, anchor: Timestamp) -> (Timestamp, Timestamp) {
        let channels = self.channels.values();
        let own = channels.flat_map(|own| [own.layer1_hours, own.layer2_hours, own.layer3_hours]).flatten();
        let general = [self.layer1_hours, self.layer2_hours, self.layer3_hours];
        let hours = own.chain(general).max().unwrap_or(0);
        (anchor.minus(Duration::from_secs(u64::from(hours) * HOUR)), anchor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_has_windows_of_its_own() {
        let windows: Windows = serde_json::from_str(
            r#"{"layer3_hours": 6, "channels": {"newsletter": {"layer2_hours": 1000, "layer3_hours": 0}}}"#,
        )
        .unwrap();
        let reach = |layer, channel| windows.reach(layer, channel).map(|reach| reach.as_secs() / HOUR);
        assert_eq!(reach(Layer::Layer3, Some("facebook")), Some(6));
        assert_eq!(reach(Layer::Layer3, Some("newsletter")), None);
        assert_eq!(reach(Layer::Layer2, Some("newsletter")), Some(1000));
        assert_eq!(reach(Layer::Layer1, Some("newsletter")), Some(720));
        assert_eq!(reach(Layer::Layer2, Some("Newsletter")), Some(168), "values keep their case");
        let (from, to) = windows.around(Timestamp::from_micros(0));
        assert_eq!(to.since(from).as_secs() / HOUR, 1000);
        windows.validate().unwrap();
    }

    #[test]
    fn what_is_no_window_is_named() {
        for (json, name) in [
            (r#"{"layer1_hours": 9000}"#, "attribution.windows.layer1_hours"),
            (r#"{"channels": {"x": {"layer2_hours": 9000}}}"#, "attribution.windows.channels.x.layer2_hours"),
            (r#"{"probability_hours": 0}"#, "attribution.windows.probability_hours"),
        ] {
            let windows: Windows = serde_json::from_str(json).unwrap();
            let error = windows.validate().unwrap_err();
            assert!(error.message().starts_with(name) && error.message().contains("give at"), "{error}");
        }
    }
}
