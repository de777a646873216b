use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::model::Vision;
use crate::provider::ContentPart;

/// What an image costs, and whether its size was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ImageCost {
    pub(super) tokens: u64,
    pub(super) known: bool,
}

/// An image of unknown size is taken for one of 2048 x 1024 pixels, which is among the dear ones.
const UNKNOWN: (u64, u64) = (2_048, 1_024);
/// How much of an embedded image is decoded to find its size.
const HEADER: usize = 64 * 1_024;

pub(super) fn cost(part: &ContentPart, vision: Vision) -> ImageCost {
    let image = part.extra.get("image_url").unwrap_or(&Value::Null);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let url = image.get("url").and_then(text).or_else(|| text(image)).unwrap_or_default();
    let detail = image.get("detail").or_else(|| part.extra.get("detail")).and_then(Value::as_str);
    if let (Some("low"), Vision::Tiles { base, .. }) = (detail, vision) {
        return ImageCost { tokens: base, known: true };
    }
    match embedded(&url).and_then(|bytes| size(&bytes)) {
        Some(size) => ImageCost { tokens: of_size(size, vision), known: true },
        None => ImageCost { tokens: of_size(UNKNOWN, vision), known: false },
    }
}

/// The beginning of the image in a `data:` address.
fn embedded(url: &str) -> Option<Vec<u8>> {
    let (_, data) = url.strip_prefix("data:")?.split_once(";base64,")?;
    let wanted = data.len().min(HEADER) / 4 * 4;
    STANDARD.decode(data.get(..wanted)?).ok()
}

fn of_size((width, height): (u64, u64), vision: Vision) -> u64 {
    match vision {
        Vision::Tiles { base, tile } => {
            let (width, height) = fitted(width, height);
            base + tile * width.div_ceil(512) * height.div_ceil(512)
        }
        Vision::Patches { percent } => patches(width, height) * percent / 100,
    }
}

/// Scaled down, never up, to fit 2048 x 2048 and then to a short side of 768.
fn fitted(width: u64, height: u64) -> (u64, u64) {
    let scaled = |(width, height): (u64, u64), most: u64, side: u64| {
        if side > most {
            ((width * most).div_ceil(side), (height * most).div_ceil(side))
        } else {
            (width, height)
        }
    };
    let within = scaled((width, height), 2_048, width.max(height));
    scaled(within, 768, within.0.min(within.1))
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Pixels of an image.
fn patches(width: u64, height: u64) -> u64 {
    const MOST: f64 = 1_536.0;
    let whole = width.div_ceil(32) * height.div_ceil(32);
    if whole as f64 <= MOST {
        return whole;
    }
    let (width, height) = (width as f64, height as f64);
    let shrink = libm::sqrt(MOST * 32.0 * 32.0 / (width * height));
    let (across, down) = (width * shrink / 32.0, height * shrink / 32.0);
    let fit = (libm::floor(across) / across).min(libm::floor(down) / down);
    let (across, down) = (libm::ceil(across * fit - 1e-9), libm::ceil(down * fit - 1e-9));
    (across * down).min(MOST) as u64
}

/// The width and height that an image's header says: PNG, GIF, JPEG and WebP.
fn size(bytes: &[u8]) -> Option<(u64, u64)> {
    let big = |at: usize| Some(u64::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    let little = |at: usize| Some(u64::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    let whole = |at: usize| Some(u64::from(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?)));
    let found = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        (whole(16)?, whole(20)?)
    } else if bytes.starts_with(b"GIF8") {
        (little(6)?, little(8)?)
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        webp(bytes)?
    } else if bytes.starts_with(&[0xFF, 0xD8]) {
        let mut at = 2;
        loop {
            let marker = *bytes.get(at + 1)?;
            match (*bytes.get(at)?, marker) {
                // A frame's header, of which there are thirteen kinds; three markers among them are none.
                (0xFF, 0xC0..=0xCF) if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                    break (big(at + 7)?, big(at + 5)?);
                }
                (0xFF, 0xFF) => at += 1,
                (0xFF, _) => at += 2 + usize::try_from(big(at + 2)?).ok()?,
                _ => return None,
            }
        }
    } else {
        return None;
    };
    // What no format allows is no size.
    let sane = |side: u64| (1..=65_535).contains(&side);
    (sane(found.0) && sane(found.1)).then_some(found)
}

fn webp(bytes: &[u8]) -> Option<(u64, u64)> {
    let byte = |at: usize| bytes.get(at).copied().map(u64::from);
    match bytes.get(12..16)? {
        b"VP8 " => Some(((byte(26)? | byte(27)? << 8) & 0x3FFF, (byte(28)? | byte(29)? << 8) & 0x3FFF)),
        b"VP8L" => {
            let bits = byte(21)? | byte(22)? << 8 | byte(23)? << 16 | byte(24)? << 24;
            Some(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1))
        }
        b"VP8X" => {
            let three = |at: usize| Some(byte(at)? | byte(at + 1)? << 8 | byte(at + 2)? << 16);
            Some((three(24)? + 1, three(27)? + 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TILES: Vision = Vision::Tiles { base: 85, tile: 170 };
    const PATCHES: Vision = Vision::Patches { percent: 100 };

    fn part(url: &str, detail: Option<&str>) -> ContentPart {
        let image = serde_json::json!({"type": "image_url", "image_url": {"url": url, "detail": detail}});
        serde_json::from_value(image).unwrap()
    }

    fn png(width: u32, height: u32) -> String {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0, 0]);
        format!("data:image/png;base64,{}", STANDARD.encode(bytes))
    }

    #[test]
    fn the_examples_that_openai_publishes() {
        assert_eq!(of_size((1_024, 1_024), TILES), 765);
        assert_eq!(of_size((2_048, 4_096), TILES), 1_105);
        assert_eq!(of_size((1_024, 1_024), PATCHES), 1_024);
        assert_eq!(of_size((1_800, 2_400), PATCHES), 1_452);
        assert_eq!(
            cost(&part("https://example.com/a.png", Some("low")), TILES),
            ImageCost { tokens: 85, known: true }
        );
    }

    #[test]
    fn an_embedded_image_says_its_size_and_an_address_does_not() {
        assert_eq!(cost(&part(&png(1_024, 1_024), None), TILES), ImageCost { tokens: 765, known: true });
        assert!(!cost(&part("https://example.com/a.png", None), TILES).known);
        assert!(!cost(&part("data:image/png;base64,AA==", None), TILES).known);
        assert!(!cost(&part(&png(0, 4_000_000_000), None), TILES).known);
    }

    #[test]
    fn a_jpeg_is_read_past_its_other_segments() {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xC0, 0, 17, 8];
        bytes.extend([0x02, 0x00, 0x03, 0x00, 3]);
        assert_eq!(size(&bytes), Some((768, 512)));
        assert_eq!(size(&bytes[..10]), None);
    }
}
