use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::table::Table;

const NONE: u32 = u32::MAX;

/// The working memory of the merges of one text.
#[derive(Default)]
pub(super) struct Scratch {
    parts: Vec<Part>,
    heap: BinaryHeap<Reverse<(u32, u32)>>,
    links: Vec<Link>,
}

/// A part of a piece: where it begins, and the rank of its merge with the next.
#[derive(Clone, Copy)]
struct Part {
    start: u32,
    rank: u32,
}

#[derive(Clone, Copy)]
struct Link {
    before: u32,
    after: u32,
    end: u32,
    rank: u32,
}

/// Merges the parts of a piece, the pair of the lowest rank first and of equal ones the leftmost, until no pair is a token; then
/// tells `each` the span of every token.
///
/// Short pieces look for the lowest rank in all parts, which is fastest for few; the others by a heap.
pub(super) fn merge(table: &Table, piece: &[u8], scratch: &mut Scratch, each: &mut impl FnMut(usize, usize)) {
    if piece.len() <= 64 {
        by_search(table, piece, &mut scratch.parts, each);
    } else {
        by_heap(table, piece, scratch, each);
    }
}

fn rank(table: &Table, piece: &[u8], start: u32, end: u32) -> u32 {
    table.rank(&piece[start as usize..end as usize]).unwrap_or(NONE)
}

#[allow(clippy::cast_possible_truncation, reason = "pieces merged here have at most 64 KiB")]
fn by_search(table: &Table, piece: &[u8], parts: &mut Vec<Part>, each: &mut impl FnMut(usize, usize)) {
    parts.clear();
    parts.extend(
        piece
            .windows(2)
            .zip(0..)
            .map(|(pair, start)| Part { start, rank: table.rank_of_two(pair[0], pair[1]) }),
    );
    parts.push(Part { start: piece.len() as u32 - 1, rank: NONE });
    parts.push(Part { start: piece.len() as u32, rank: NONE });
    loop {
        let (mut best, mut at) = (NONE, 0);
        for (index, part) in parts.iter().enumerate() {
            if part.rank < best {
                (best, at) = (part.rank, index);
            }
        }
        if best == NONE {
            break;
        }
        let joined = |from: usize, parts: &[Part]| match parts.get(from + 3) {
            Some(end) => rank(table, piece, parts[from].start, end.start),
            None => NONE,
        };
        if at > 0 {
            parts[at - 1].rank = joined(at - 1, parts);
        }
        parts[at].rank = joined(at, parts);
        parts.remove(at + 1);
    }
    for pair in parts.windows(2) {
        each(pair[0].start as usize, pair[1].start as usize);
    }
}

#[allow(clippy::cast_possible_truncation, reason = "pieces merged here have at most 64 KiB")]
fn by_heap(table: &Table, piece: &[u8], scratch: &mut Scratch, each: &mut impl FnMut(usize, usize)) {
    let length = piece.len() as u32;
    let (heap, links) = (&mut scratch.heap, &mut scratch.links);
    heap.clear();
    links.clear();
    for at in 0..length {
        let rank = match piece.get(at as usize + 1) {
            Some(next) => table.rank_of_two(piece[at as usize], *next),
            None => NONE,
        };
        if rank != NONE {
            heap.push(Reverse((rank, at)));
        }
        links.push(Link { before: at.wrapping_sub(1), after: at + 1, end: at + 1, rank });
    }
    while let Some(Reverse((found, at))) = heap.pop() {
        let link = links[at as usize];
        // What was merged since has another rank, or none.
        if link.rank != found || link.after >= length {
            continue;
        }
        let taken = links[link.after as usize];
        links[link.after as usize].rank = NONE;
        links[at as usize].after = taken.after;
        links[at as usize].end = taken.end;
        if taken.after < length {
            links[taken.after as usize].before = at;
        }
        let mut renew = |at: u32| {
            let link = links[at as usize];
            let rank = match links.get(link.after as usize) {
                Some(next) => rank(table, piece, at, next.end),
                None => NONE,
            };
            links[at as usize].rank = rank;
            if rank != NONE {
                heap.push(Reverse((rank, at)));
            }
        };
        renew(at);
        if link.before != NONE {
            renew(link.before);
        }
    }
    let mut at = 0;
    while at < length {
        let link = links[at as usize];
        each(at as usize, link.end as usize);
        at = link.after;
    }
}
