use std::collections::BTreeMap;

use xynergy_core::{Error, ErrorKind, Result};

/// The longest problem that is kept.
const LONGEST: usize = 200;

/// Objects by id, and those that are refused with the reason.
#[derive(Debug)]
pub(super) struct Read<T> {
    pub(super) found: BTreeMap<String, T>,
    pub(super) refused: BTreeMap<String, String>,
}

/// Reads the objects of these ids. Where a read is refused because of some of them, it is halved until they are found: the others
/// are read all the same.
///
/// # Errors
/// What is wrong with the CRM as a whole: away, busy, or without the permission.
pub(super) async fn each<T, F>(ids: &[String], read: impl Fn(Vec<String>) -> F) -> Result<Read<T>>
where
    F: Future<Output = Result<BTreeMap<String, T>>>,
{
    let mut all = Read { found: BTreeMap::new(), refused: BTreeMap::new() };
    let mut parts = vec![ids.to_vec()];
    while let Some(mut part) = parts.pop() {
        if part.is_empty() {
            continue;
        }
        match read(part.clone()).await {
            Ok(found) => all.found.extend(found),
            Err(error) if !is_of_one(&error) => return Err(error),
            Err(error) if part.len() == 1 => {
                all.refused.extend(part.pop().map(|id| (id, problem(&error))));
            }
            Err(_) => {
                parts.push(part.split_off(part.len() / 2));
                parts.push(part);
            }
        }
    }
    Ok(all)
}

/// Whether an error is about the objects that were asked for, so that others may be read.
pub(super) fn is_of_one(error: &Error) -> bool {
    use ErrorKind::{Conflict, Corrupt, InvalidInput, LimitExceeded, NotFound, Rejected};
    matches!(error.kind(), Rejected | InvalidInput | NotFound | LimitExceeded | Corrupt | Conflict)
}

/// One sentence, and what of the context tells more.
pub(super) fn problem(error: &Error) -> String {
    let context: Vec<String> = error.context().iter().map(|(key, value)| format!("{key}={value}")).collect();
    let text = if context.is_empty() {
        error.message().to_owned()
    } else {
        format!("{} ({})", error.message(), context.join(", "))
    };
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    async fn read_without(bad: &[u32], kind: ErrorKind) -> (Result<Read<u32>>, usize) {
        let ids: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let calls = Mutex::new(0);
        let outcome = each(&ids, |ids| {
            *calls.lock().unwrap() += 1;
            let numbers: BTreeMap<String, u32> =
                ids.into_iter().map(|id| (id.clone(), id.parse().unwrap())).collect();
            let refused = numbers.values().any(|n| bad.contains(n));
            async move {
                if refused {
                    Err(Error::new(kind, "t", "no").with_context("status", "400"))
                } else {
                    Ok(numbers)
                }
            }
        })
        .await;
        let calls = *calls.lock().unwrap();
        (outcome, calls)
    }

    #[tokio::test]
    async fn one_that_is_refused_does_not_stop_the_others() {
        let (outcome, calls) = read_without(&[17, 64], ErrorKind::Rejected).await;
        let read = outcome.unwrap();
        assert_eq!(read.found.len(), 98);
        assert_eq!(read.refused.keys().collect::<Vec<_>>(), ["17", "64"]);
        assert_eq!(read.refused["17"], "no (status=400)");
        assert!(calls < 30, "{calls}");
        assert_eq!(read_without(&[], ErrorKind::Rejected).await.1, 1);
    }

    #[tokio::test]
    async fn a_crm_that_is_away_is_asked_once() {
        for kind in
            [ErrorKind::Unavailable, ErrorKind::Throttled, ErrorKind::Unauthorized, ErrorKind::Timeout]
        {
            let (outcome, calls) = read_without(&[17], kind).await;
            assert_eq!((outcome.unwrap_err().kind(), calls), (kind, 1));
        }
    }
}
