use std::sync::{Mutex, PoisonError};

use xynergy_core::health::Resources;

/// What the kernel counts processor time in, a second, in every file it shows to programs: fixed on every architecture
/// that Rust's Linux targets have.
const TICKS_PER_SECOND: f64 = 100.0;

/// The shortest time over which a share of a processor says anything, in seconds.
const SHORTEST: f64 = 0.2;

/// Reads what the process uses. It remembers the last look, so that the share of the processor is that since then.
#[derive(Debug, Default)]
pub(crate) struct Sampler(Mutex<Remembered>);

#[derive(Clone, Copy, Debug, Default)]
struct Remembered {
    last: Option<Times>,
    percent: Option<f64>,
}

/// Seconds since the machine started, and seconds that the process has had of its processors by then.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Times {
    at: f64,
    used: f64,
}

impl Sampler {
    /// What the process uses now.
    pub(crate) fn sample(&self) -> Resources {
        if !cfg!(target_os = "linux") {
            return Resources::default();
        }
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let (status, stat, uptime) =
            (read("/proc/self/status"), read("/proc/self/stat"), read("/proc/uptime"));
        let threads = field(&status, "Threads:").and_then(|text| text.parse().ok());
        let kib: Option<f64> = field(&status, "VmRSS:").and_then(|text| text.parse().ok());
        let cpu_percent = times(&stat, &uptime).and_then(|(start, now)| {
            let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            remembered.advance(start, now)
        });
        Resources { memory_mb: kib.map(|kib| kib / 1_024.0), cpu_percent, threads }
    }
}

impl Remembered {
    fn advance(&mut self, start: Times, now: Times) -> Option<f64> {
        let since = self.last.unwrap_or(start);
        let span = now.at - since.at;
        if span >= SHORTEST {
            self.percent = Some(((now.used - since.used) * 100.0 / span).max(0.0));
            self.last = Some(now);
        }
        self.percent
    }
}

/// The first word of a line of `/proc/self/status`.
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()
}

/// The process at its start and now, from `/proc/self/stat` and `/proc/uptime`.
fn times(stat: &str, uptime: &str) -> Option<(Times, Times)> {
    // The name in parentheses may hold anything; the fields after it are counted from the third.
    let (_, after) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let seconds = |number: usize| -> Option<f64> {
        Some(fields.get(number - 3)?.parse::<f64>().ok()? / TICKS_PER_SECOND)
    };
    let now = uptime.split_whitespace().next()?.parse().ok()?;
    let start = Times { at: seconds(22)?, used: 0.0 };
    Some((start, Times { at: now, used: seconds(14)? + seconds(15)? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "7 (a) b) R 1 7 7 0 -1 4194304 102 0 0 0 150 50 0 0 20 0 9 0 98000 3133440 411";

    #[test]
    fn the_kernels_figures_are_read() {
        let (start, now) = times(STAT, "1000.00 654.84").unwrap();
        assert_eq!((start.at, now), (980.0, Times { at: 1_000.0, used: 2.0 }));
        assert_eq!(times("nonsense", "1.0"), None);
        assert_eq!(field("VmRSS:\t    2136 kB\nThreads:\t9\n", "Threads:"), Some("9"));
    }

    #[test]
    fn the_share_is_that_since_the_last_look() {
        let (start, now) = times(STAT, "1000.00 654.84").unwrap();
        let mut remembered = Remembered::default();
        assert_eq!(remembered.advance(start, now), Some(10.0), "at first since the start");
        let soon = Times { at: 1_000.1, used: 2.1 };
        assert_eq!(remembered.advance(start, soon), Some(10.0), "too soon to tell");
        let later = Times { at: 1_002.0, used: 3.0 };
        assert_eq!(remembered.advance(start, later), Some(50.0));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_something() {
        let used = Sampler::default().sample();
        assert!(used.memory_mb.is_some_and(|mb| mb > 1.0), "{used:?}");
        assert!(used.threads.is_some_and(|threads| threads >= 1), "{used:?}");
    }
}
