use crate::store::{Click, Device, KeyedHash};

/// A click. Its id, when it has one of the host's, is a piece of [`Texts`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) at: i64,
    pub(super) key: KeyedHash,
    pub(super) ad: u32,
    pub(super) utm: u32,
    /// One more than the place in the devices; 0 for none.
    pub(super) device: u32,
    id: Piece,
}

/// Where a text lies: none when its length is the largest.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: u32,
    page: u16,
    length: u16,
}

const NONE: u16 = u16::MAX;

/// Bytes of one page of texts.
const PAGE: usize = 1 << 20;

/// The host's ids, end to end, in pages that are never moved.
#[derive(Default)]
pub(super) struct Texts {
    pages: Vec<String>,
    /// Those that are too long for a page's bookkeeping, or for which there is no page left.
    long: Vec<String>,
}

/// A piece with this page is one of the long ones.
const LONG: u16 = u16::MAX;

impl Texts {
    fn push(&mut self, text: &str) -> Piece {
        let length = u16::try_from(text.len()).unwrap_or(NONE);
        if self.pages.last().is_none_or(|page| page.len() + text.len() > PAGE)
            && self.pages.len() < LONG as usize
        {
            self.pages.push(String::with_capacity(PAGE));
        }
        let page = u16::try_from(self.pages.len().saturating_sub(1)).unwrap_or(LONG);
        match self.pages.last_mut() {
            Some(last) if length != NONE && last.len() + text.len() <= PAGE => {
                let start = u32::try_from(last.len()).unwrap_or(0);
                last.push_str(text);
                Piece { start, page, length }
            }
            _ => {
                self.long.push(text.to_owned());
                let start = u32::try_from(self.long.len() - 1).unwrap_or(u32::MAX);
                Piece { start, page: LONG, length: 0 }
            }
        }
    }

    fn get(&self, piece: Piece) -> Option<&str> {
        match piece {
            Piece { length: NONE, .. } => None,
            Piece { page: LONG, start, .. } => self.long.get(start as usize).map(String::as_str),
            Piece { start, page, length } => {
                let start = start as usize;
                self.pages.get(page as usize)?.get(start..start + length as usize)
            }
        }
    }
}

/// The clicks by their place.
#[derive(Default)]
pub(super) struct Rows {
    rows: Vec<Row>,
    texts: Texts,
    devices: Vec<Device>,
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn get(&self, place: u32) -> Option<&Row> {
        self.rows.get(place as usize)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Row)> {
        (0..).zip(&self.rows)
    }

    pub(super) fn id(&self, row: &Row) -> String {
        self.texts.get(row.id).map_or_else(|| row.key.to_string(), str::to_owned)
    }

    pub(super) fn device(&self, row: &Row) -> Option<&Device> {
        self.devices.get((row.device as usize).checked_sub(1)?)
    }

    pub(super) fn push(&mut self, click: &Click, ad: u32, utm: u32) {
        let personal = click.personal.as_ref();
        let id = match personal {
            Some(personal) => self.texts.push(&personal.click_id),
            None => Piece { start: 0, page: 0, length: NONE },
        };
        let device = personal.and_then(|personal| personal.device.as_ref()).map_or(0, |device| {
            self.devices.push(device.clone());
            u32::try_from(self.devices.len()).unwrap_or(0)
        });
        self.rows.push(Row { at: click.at.micros(), key: click.key, ad, utm, device, id });
    }

    /// Keeps the rows for which `keeps` says so, and nothing of the others; where each of the old ones is now.
    pub(super) fn keep(&mut self, keeps: impl Fn(u32, &Row) -> bool) -> Vec<Option<u32>> {
        let old = std::mem::take(self);
        let mut places = Vec::with_capacity(old.rows.len());
        for (place, row) in old.iter() {
            if !keeps(place, row) {
                places.push(None);
                continue;
            }
            let id = match old.texts.get(row.id) {
                Some(text) => self.texts.push(text),
                None => row.id,
            };
            let device = old.device(row).map_or(0, |device| {
                self.devices.push(device.clone());
                u32::try_from(self.devices.len()).unwrap_or(0)
            });
            places.push(u32::try_from(self.rows.len()).ok());
            self.rows.push(Row { id, device, ..*row });
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_length_come_back() {
        let mut texts = Texts::default();
        let given: Vec<String> = [0, 1, 300, 65_534, 65_535, 70_000, PAGE, 2 * PAGE, 5]
            .map(|length| "é".repeat(length / 2))
            .into();
        let pieces: Vec<_> =
            (0..20).flat_map(|_| given.iter().map(|t| texts.push(t)).collect::<Vec<_>>()).collect();
        for (piece, text) in pieces.iter().zip(given.iter().cycle()) {
            assert_eq!(texts.get(*piece), Some(text.as_str()));
        }
        assert_eq!(texts.get(Piece { start: 0, page: 0, length: NONE }), None);
    }
}
