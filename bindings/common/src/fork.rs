//! What makes a fork safe while other threads call.
//!
//! A child has the memory of its parent and one of its threads. Whatever another thread was in the middle of stays so for ever: a
//! lock that it held, a value that it was the first to make. So a host that forks says so before ([`close`]) and after ([`open`]), and in
//! between no thread of this process is inside the library: those inside leave at the end of their poll, those that come wait.
//!
//! What waits for nothing inside costs two counts a poll. A thread of the pool is inside from when it wakes until it sleeps, so what the
//! library's dependencies do in tasks of their own is covered too. Threads that a database works in are not: they end no poll.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// A fork waits so long for a poll that does not end, and then happens as it would have without.
const PATIENCE: Duration = Duration::from_millis(500);

/// Who comes while it is closed waits so long, should the host never say that the fork is over.
const LONGEST_CLOSED: Duration = Duration::from_secs(2);

const LOOK: Duration = Duration::from_micros(50);

static INSIDE: AtomicUsize = AtomicUsize::new(0);
static CLOSED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// How often this thread is inside.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Whether this thread is of the pool and awake.
    static AWAKE: Cell<bool> = const { Cell::new(false) };
}

/// Waits until no thread is inside, and keeps others out. The host calls it right before it forks.
pub fn close() {
    CLOSED.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    while INSIDE.load(Ordering::SeqCst) > 0 && begun.elapsed() < PATIENCE {
        std::thread::sleep(LOOK);
    }
}

/// Lets threads in again: the fork is over, in the parent.
pub fn open() {
    CLOSED.store(false, Ordering::SeqCst);
}

/// Lets threads in, of which there is only this one: the fork is over, in the child.
pub fn open_in_child() {
    INSIDE.store(0, Ordering::SeqCst);
    DEPTH.set(0);
    AWAKE.set(false);
    open();
}

/// Keeps a fork off while it lives.
#[derive(Debug)]
pub(crate) struct Inside(());

impl Inside {
    pub(crate) fn enter() -> Self {
        if DEPTH.get() == usize::from(AWAKE.get()) {
            // Between two polls a thread of the pool is in the middle of nothing.
            if AWAKE.get() && CLOSED.load(Ordering::SeqCst) {
                leave();
                come();
            } else if !AWAKE.get() {
                come();
                return Self(());
            }
        }
        DEPTH.set(DEPTH.get() + 1);
        Self(())
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        leave();
    }
}

/// A thread of the pool woke.
pub(crate) fn awake() {
    if !AWAKE.get() {
        come();
        AWAKE.set(true);
    }
}

/// A thread of the pool goes to sleep.
pub(crate) fn asleep() {
    if AWAKE.replace(false) {
        leave();
    }
}

fn come() {
    let begun = Instant::now();
    loop {
        INSIDE.fetch_add(1, Ordering::SeqCst);
        if !CLOSED.load(Ordering::SeqCst) || begun.elapsed() > LONGEST_CLOSED {
            break;
        }
        INSIDE.fetch_sub(1, Ordering::SeqCst);
        std::thread::sleep(LOOK);
    }
    DEPTH.set(DEPTH.get() + 1);
}

fn leave() {
    let depth = DEPTH.get();
    // In a child the count begins anew, also for what was inside when its parent's patience ended.
    if depth == 0 {
        return;
    }
    DEPTH.set(depth - 1);
    if depth == 1 {
        let _ = INSIDE.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1));
    }
}

/// A future whose every poll is inside.
pub(crate) struct Polled<T>(pub(crate) Pin<Box<dyn Future<Output = T> + Send>>);

impl<T> Future for Polled<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let _inside = Inside::enter();
        self.0.as_mut().poll(context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    /// What is tested is of the whole process.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    #[test]
    fn nobody_is_inside_while_it_is_closed() {
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let (busy, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (busy, stop) = (Arc::clone(&busy), Arc::clone(&stop));
                std::thread::spawn(move || {
                    while !stop.load(Ordering::SeqCst) {
                        let outer = Inside::enter();
                        let inner = Inside::enter();
                        busy.fetch_add(1, Ordering::SeqCst);
                        std::thread::yield_now();
                        busy.fetch_sub(1, Ordering::SeqCst);
                        drop(inner);
                        drop(outer);
                    }
                })
            })
            .collect();
        for _ in 0..200 {
            close();
            // The count itself also shows those who knock.
            assert_eq!(busy.load(Ordering::SeqCst), 0);
            open();
        }
        stop.store(true, Ordering::SeqCst);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(INSIDE.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_thread_of_the_pool_lets_a_fork_in_between_two_polls() {
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let (polls, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let thread = std::thread::spawn({
            let (polls, stop) = (Arc::clone(&polls), Arc::clone(&stop));
            move || {
                awake();
                while !stop.load(Ordering::SeqCst) {
                    let inside = Inside::enter();
                    polls.fetch_add(1, Ordering::SeqCst);
                    drop(inside);
                }
                asleep();
            }
        });
        for _ in 0..50 {
            close();
            let before = polls.load(Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(1));
            assert_eq!(polls.load(Ordering::SeqCst), before);
            open();
        }
        stop.store(true, Ordering::SeqCst);
        thread.join().unwrap();
        assert_eq!(INSIDE.load(Ordering::SeqCst), 0);
    }
}
