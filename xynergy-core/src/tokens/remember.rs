use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::FixedState;

use super::frame::Tally;
use crate::ctx::TenantId;
use crate::env::{Entropy, SystemEntropy};
use crate::provider::{Content, Message};

/// 16 bytes each: 256 KiB, however many messages and tenants there are.
const SLOTS: usize = 1 << 14;
const HALF: u64 = (1 << 32) - 1;

/// What messages cost, under a keyed hash of the tenant, the rules and the message.
///
/// A table of fixed size in which a newer message takes an older one's place: looking one up takes less than counting a word, no
/// lock is held, and nothing grows. Nothing of a message is kept but 64 bits of its hash, whose key each counter has of its own; the
/// tenant is in it, so that nobody can learn from the time of an answer what another tenant sent.
#[derive(Default)]
pub(super) struct Remembered(OnceLock<Table>);

struct Table {
    key: FixedState,
    slots: Box<[Slot]>,
}

/// The hash is kept mixed with the value, so that a slot that two threads write at once is no valid one.
#[derive(Default)]
struct Slot {
    mixed: AtomicU64,
    value: AtomicU64,
}

impl Remembered {
    /// What the message costs by `rules`, which stands for how it is counted.
    pub(super) fn get(
        &self,
        tenant: &TenantId,
        rules: u64,
        message: &Message,
        count: impl FnOnce() -> Tally,
    ) -> Tally {
        // The key decides no result, only where one is kept: it is no part of what replays.
        let table = self.0.get_or_init(|| Table {
            key: FixedState::with_seed(SystemEntropy.next_u64()),
            slots: (0..SLOTS).map(|_| Slot::default()).collect(),
        });
        let hash = table.hash(tenant, rules, message);
        #[allow(clippy::cast_possible_truncation)] // The lower bits are what is wanted.
        let slot = &table.slots[hash as usize % SLOTS];
        let value = slot.value.load(Ordering::Relaxed);
        if slot.mixed.load(Ordering::Relaxed) ^ value == hash && value != 0 {
            return Tally { tokens: value >> 32, off: (value & HALF) >> 1 };
        }
        let tally = count();
        if tally.tokens > HALF || tally.off > HALF >> 1 {
            return tally;
        }
        // The lowest bit says that there is something.
        let value = tally.tokens << 32 | tally.off << 1 | 1;
        slot.value.store(value, Ordering::Relaxed);
        slot.mixed.store(hash ^ value, Ordering::Relaxed);
        tally
    }
}

impl Table {
    fn hash(&self, tenant: &TenantId, rules: u64, message: &Message) -> u64 {
        let mut hasher = self.key.build_hasher();
        hasher.write_u64(rules);
        write(&mut hasher, tenant.as_str());
        write(&mut hasher, message.role.as_str());
        match &message.content {
            Some(Content::Text(text)) if message.is_only_content() => {
                hasher.write_u8(0);
                write(&mut hasher, text);
            }
            _ => {
                hasher.write_u8(1);
                // Values of JSON always have a text; what is written goes to the hasher, which cannot fail.
                let _ = serde_json::to_writer(Sink(&mut hasher), message);
            }
        }
        hasher.finish()
    }
}

fn write(hasher: &mut impl Hasher, text: &str) {
    hasher.write_usize(text.len());
    hasher.write(text.as_bytes());
}

struct Sink<'a, H>(&'a mut H);

impl<H: Hasher> io::Write for Sink<'_, H> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered").field("slots", &SLOTS).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Role;

    fn tally(tokens: u64) -> Tally {
        Tally { tokens, off: tokens / 2 }
    }

    #[test]
    fn counted_once_for_each_tenant_and_rule() {
        let remembered = Remembered::default();
        let message = Message::text(Role::User, "hello");
        let (a, b) = (TenantId::new("a").unwrap(), TenantId::new("b").unwrap());
        assert_eq!(remembered.get(&a, 1, &message, || tally(5)), tally(5));
        assert_eq!(remembered.get(&a, 1, &message, || unreachable!()), tally(5));
        assert_eq!(remembered.get(&b, 1, &message, || tally(6)), tally(6));
        assert_eq!(remembered.get(&a, 2, &message, || tally(7)), tally(7));
        assert_eq!(remembered.get(&a, 1, &Message::text(Role::Assistant, "hello"), || tally(8)), tally(8));
        let parts: Message =
            serde_json::from_value(serde_json::json!({"role": "user", "content": "hello", "name": "n"}))
                .unwrap();
        assert_eq!(remembered.get(&a, 1, &parts, || tally(9)), tally(9));
        assert_eq!(remembered.get(&a, 1, &parts, || unreachable!()), tally(9));
    }

    #[test]
    fn threads_never_read_what_none_wrote() {
        let remembered = Remembered::default();
        let tenant = TenantId::new("t").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for n in 0..40_000_u64 {
                        // Twice as many messages as slots, so that they take each other's places all the time.
                        let message = Message::text(Role::User, (n % 32_768).to_string());
                        assert_eq!(
                            remembered.get(&tenant, 0, &message, || tally(n % 32_768)).tokens,
                            n % 32_768
                        );
                    }
                });
            }
        });
    }
}
