//! The numbered files that make a store's tables, and which of them a database still lacks.
//!
//! The history in the database is kept as [refinery](https://docs.rs/refinery) keeps it, so that its tools can read it. What
//! refinery itself needs at run time, regular expressions and their tables of Unicode, is more than the stores.

use std::fmt;
use std::hash::{Hash, Hasher};

use siphasher::sip::SipHasher13;

/// A file `V{version}__{name}.sql` of `migrations/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Migration {
    /// Its number; those of a store count from 1.
    pub(super) version: i32,
    /// What it brings.
    pub(super) name: &'static str,
    /// Its whole text.
    pub(super) sql: &'static str,
}

/// The migrations of a folder in their order. A test holds them to the folder's files.
macro_rules! embed {
    ($folder:literal: $($version:literal $name:literal),+ $(,)?) => {
        &[$($crate::store::migrations::Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/migrations/", $folder, "/V", $version, "__", $name, ".sql"
            )),
        }),+]
    };
}
pub(super) use embed;

impl Migration {
    /// What the history holds of it, so that a file that was changed after it was applied is noticed.
    pub(super) fn checksum(&self) -> u64 {
        let mut hasher = SipHasher13::new();
        self.name.hash(&mut hasher);
        self.version.hash(&mut hasher);
        self.sql.hash(&mut hasher);
        hasher.finish()
    }
}

impl fmt::Display for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "V{}__{}", self.version, self.name)
    }
}

/// One row of a database's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Applied {
    pub(super) version: i32,
    pub(super) name: String,
    pub(super) checksum: String,
}

/// What is left to be applied to a database with this history, which is in the order of its versions.
///
/// # Errors
/// Says where the history is not the beginning of these migrations.
pub(super) fn pending<'a>(all: &'a [Migration], applied: &[Applied]) -> Result<&'a [Migration], String> {
    for (index, row) in applied.iter().enumerate() {
        let told = format!("V{}__{}", row.version, row.name);
        match all.get(index) {
            None => return Err(format!("{told} was applied, and this version does not have it")),
            Some(own) if own.version != row.version || own.name != row.name => {
                return Err(format!("{told} was applied where this version has {own}"));
            }
            Some(own) if own.checksum().to_string() != row.checksum => {
                return Err(format!("{told} was applied with another text"));
            }
            Some(_) => {}
        }
    }
    Ok(all.get(applied.len()..).unwrap_or_default())
}

#[cfg(test)]
pub(super) fn assert_are_the_files_of(folder: &str, all: &[Migration]) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
    let mut files: Vec<String> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let mut listed: Vec<String> = all.iter().map(|migration| format!("{migration}.sql")).collect();
    listed.sort();
    assert_eq!(files, listed, "every file of {folder} is listed, and nothing else");
    for (migration, version) in all.iter().zip(1..) {
        assert_eq!(migration.version, version, "{migration}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Migration; 2] = [
        Migration { version: 1, name: "state", sql: "CREATE TABLE a (b)" },
        Migration { version: 2, name: "more", sql: "CREATE TABLE c (d)" },
    ];

    fn row(migration: &Migration) -> Applied {
        Applied {
            version: migration.version,
            name: migration.name.into(),
            checksum: migration.checksum().to_string(),
        }
    }

    #[test]
    fn what_a_history_lacks_is_left() {
        assert_eq!(pending(&ALL, &[]).unwrap(), ALL);
        assert_eq!(pending(&ALL, &[row(&ALL[0])]).unwrap(), &ALL[1..]);
        assert!(pending(&ALL, &[row(&ALL[0]), row(&ALL[1])]).unwrap().is_empty());
    }

    #[test]
    fn another_history_is_told_with_its_first_difference() {
        let other =
            |name: &str, checksum: &str| Applied { version: 1, name: name.into(), checksum: checksum.into() };
        let why = pending(&ALL, &[other("states", "1")]).unwrap_err();
        assert_eq!(why, "V1__states was applied where this version has V1__state");
        let why = pending(&ALL, &[other("state", "1")]).unwrap_err();
        assert_eq!(why, "V1__state was applied with another text");
        let why = pending(&ALL, &[row(&ALL[1])]).unwrap_err();
        assert!(why.starts_with("V2__more was applied where"), "{why}");
        let why = pending(&ALL[..1], &[row(&ALL[0]), row(&ALL[1])]).unwrap_err();
        assert_eq!(why, "V2__more was applied, and this version does not have it");
    }
}
