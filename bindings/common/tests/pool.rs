//! The pool of a process is made at its first use, which may be many uses at once. Alone in its process: it is made only once.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Barrier};
use std::thread;

use xynergy_bindings::runtime::pool;

const THREADS: usize = 32;

#[test]
fn tasks_that_need_it_at_once_share_one() {
    let start = Arc::new(Barrier::new(THREADS));
    let first_use = || {
        let start = start.clone();
        thread::spawn(move || {
            let of_host = tokio::runtime::Builder::new_current_thread().build().unwrap();
            of_host.block_on(async {
                start.wait();
                std::ptr::from_ref(pool().unwrap()).addr()
            })
        })
    };
    let made: Vec<_> = (0..THREADS).map(|_| first_use()).collect();
    let pools: Vec<usize> = made.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(pools.iter().all(|one| *one == pools[0]), "{pools:?}");
    pool().unwrap().handle().block_on(async {});
}
