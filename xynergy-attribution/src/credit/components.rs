//! The order in which the states of a chain can be solved.

/// The states in the order of their strongly connected components, those first that others depend on, and where each component
/// begins, with the end (Tarjan 1972, without recursion).
pub(super) fn components(from: &[Vec<(u32, f64)>]) -> (Vec<u32>, Vec<usize>) {
    const UNSEEN: u32 = u32::MAX;
    let mut found = vec![UNSEEN; from.len()];
    let mut lowest = vec![0_u32; from.len()];
    let mut open = vec![false; from.len()];
    let mut stack: Vec<u32> = Vec::new();
    let mut order = Vec::with_capacity(from.len());
    let mut starts = vec![0];
    let mut next = 0_u32;
    let mut walk: Vec<(usize, usize)> = Vec::new();
    for root in 0..from.len() {
        if found[root] != UNSEEN {
            continue;
        }
        walk.push((root, 0));
        while let Some((state, edge)) = walk.last_mut() {
            let state = *state;
            if *edge == 0 && found[state] == UNSEEN {
                found[state] = next;
                lowest[state] = next;
                next += 1;
                open[state] = true;
                stack.push(u32::try_from(state).unwrap_or(UNSEEN));
            }
            if let Some(&(source, _)) = from[state].get(*edge) {
                *edge += 1;
                let source = source as usize;
                if found[source] == UNSEEN {
                    walk.push((source, 0));
                } else if open[source] {
                    lowest[state] = lowest[state].min(found[source]);
                }
                continue;
            }
            walk.pop();
            if let Some(&(parent, _)) = walk.last() {
                lowest[parent] = lowest[parent].min(lowest[state]);
            }
            if lowest[state] == found[state] {
                while let Some(member) = stack.pop() {
                    open[member as usize] = false;
                    order.push(member);
                    if member as usize == state {
                        break;
                    }
                }
                starts.push(order.len());
            }
        }
    }
    (order, starts)
}
