//! JSON texts from outside, read so that what is wrong with one is named by its path.

use std::fmt;

use serde::Deserialize;

/// One step of a path into a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into an object, by the field's name.
    Key(String),
    /// Into an array, by the number from 0.
    Index(usize),
}

/// What is wrong with a JSON text, and where.
#[derive(Debug)]
pub struct Wrong {
    /// The way to the value that is wrong; empty for the whole.
    pub path: Vec<Step>,
    /// What serde says of it, with the place in the text.
    pub error: serde_json::Error,
}

impl Wrong {
    /// The path as `providers.mine.models[2]`; empty for the whole.
    pub fn path(&self) -> String {
        let mut text = String::new();
        for step in &self.path {
            match step {
                Step::Key(key) if text.is_empty() => text.push_str(key),
                Step::Key(key) => text.extend([".", key]),
                Step::Index(index) => text.extend(["[", &index.to_string(), "]"]),
            }
        }
        text
    }

    /// What is wrong, without the place in the text.
    pub fn problem(&self) -> String {
        problem(&self.error)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path())?;
        }
        f.write_str(&self.problem())
    }
}

impl std::error::Error for Wrong {}

/// Reads a value from a JSON text.
///
/// The path is found from the place in the text where the reader stopped. A reader that keeps the path as it goes, as
/// `serde_path_to_error` has it, is compiled once more for every type there is: a tenth of the packages.
///
/// # Errors
/// What is wrong, with its path.
pub fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Wrong> {
    plain(text).map_err(|error| {
        // What a type refuses after its parts were read is noticed by the reader one level up, which then may have passed that level's end.
        let same = |shorter: &'a str| plain::<T>(shorter).is_err_and(|e| problem(&e) == problem(&error));
        let path = match passed(text, &error) {
            None => Vec::new(),
            Some(passed) => match passed.strip_suffix(['}', ']']).map(str::trim_end) {
                Some(shorter) if same(shorter) => path_of(shorter),
                _ => path_of(passed),
            },
        };
        Wrong { path, error }
    })
}

#[inline(never)]
fn plain<'a, T: Deserialize<'a>>(text: &'a str) -> serde_json::Result<T> {
    serde_json::from_str(text)
}

fn problem(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    if let Some(place) = text.rfind(" at line ") {
        text.truncate(place);
    }
    text
}

/// The part of the text that the reader has passed; none where it did not say.
fn passed<'a>(text: &'a str, error: &serde_json::Error) -> Option<&'a str> {
    let lines_before = error.line().checked_sub(1)?;
    let line_starts = match lines_before.checked_sub(1) {
        None => 0,
        Some(last) => text.match_indices('\n').nth(last)?.0 + 1,
    };
    let mut end = line_starts.saturating_add(error.column()).min(text.len());
    // A place inside a character is one in a text that ends there.
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).map(str::trim_end)
}

/// Where a reader is that has passed this beginning of a JSON text.
fn path_of(passed: &str) -> Vec<Step> {
    // The objects (true) and arrays that are open, with the step that is taken in each, none between two fields.
    let mut open: Vec<(bool, Option<Step>)> = Vec::new();
    let mut rest = passed;
    while let Some(first) = rest.chars().next() {
        let mut length = first.len_utf8();
        match first {
            '"' => {
                length = string_length(rest);
                if let Some((true, step @ None)) = open.last_mut() {
                    let key = serde_json::from_str(&rest[..length]).unwrap_or_else(|_| rest[1..].to_owned());
                    *step = Some(Step::Key(key));
                }
            }
            '{' => open.push((true, None)),
            '[' => open.push((false, Some(Step::Index(0)))),
            '}' | ']' => drop(open.pop()),
            ',' => match open.last_mut() {
                Some((_, Some(Step::Index(index)))) => *index += 1,
                Some((true, step)) => *step = None,
                _ => {}
            },
            _ => {}
        }
        rest = &rest[length..];
    }
    open.into_iter().filter_map(|(_, step)| step).collect()
}

/// How long the string is that the text begins with, its quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(try_from = "String")]
    struct Even(#[expect(dead_code)] String);

    impl TryFrom<String> for Even {
        type Error = String;
        fn try_from(text: String) -> Result<Self, String> {
            if text.len() % 2 == 0 { Ok(Self(text)) } else { Err(format!("{text:?} is odd")) }
        }
    }

    #[derive(Debug, Deserialize)]
    #[serde(try_from = "Parts")]
    struct Whole;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parts {
        a: u8,
        b: u8,
    }

    impl TryFrom<Parts> for Whole {
        type Error = String;
        fn try_from(parts: Parts) -> Result<Self, String> {
            if parts.a == parts.b { Ok(Self) } else { Err("a and b differ".into()) }
        }
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[expect(dead_code)]
    enum Choice {
        Plain,
        With(Even),
    }

    #[derive(Debug, Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    #[expect(dead_code)]
    enum Tagged {
        One { n: u8 },
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Tree {
        number: Option<u8>,
        even: Option<Even>,
        whole: Option<Whole>,
        choice: Option<Choice>,
        tagged: Option<Tagged>,
        pair: Option<(u8, u8)>,
        list: Vec<Tree>,
        map: BTreeMap<String, Tree>,
    }

    fn told(text: &str) -> String {
        read::<Tree>(text).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_named_by_its_path() {
        for (text, said) in [
            (r#"null"#, "invalid type: null, expected struct Tree"),
            (r#"7"#, "invalid type: integer `7`, expected struct Tree"),
            (r#"{"number":300}"#, "number: invalid value: integer `300`, expected u8"),
            (r#"{"number":-1,"list":[]}"#, "number: invalid value: integer `-1`, expected u8"),
            (
                r#"{"list":[{},{"map":{"x.y":{"number":"z"}}}]}"#,
                "list[1].map.x.y.number: invalid type: string \"z\", expected u8",
            ),
            (r#"{"list":[{}, 5 ]}"#, "list[1]: invalid type: integer `5`, expected struct Tree"),
            (r#"{"list": {"a": 1}}"#, "list: invalid type: map, expected a sequence"),
            ("{\n \"map\": {\n  \"a\\n\": {\"even\": \"abc\"}\n }\n}", "map.a\n.even: \"abc\" is odd"),
            (r#"{"even":"abc","number":1}"#, "even: \"abc\" is odd"),
            (r#"{"list":[{"even":"abc"}]}"#, "list[0].even: \"abc\" is odd"),
            (r#"{"whole":{"a":1,"b":2}}"#, "whole: a and b differ"),
            (r#"{"whole":{"a":1,"b":2},"number":1}"#, "whole: a and b differ"),
            (r#"{"whole":{"a":1}}"#, "whole: missing field `b`"),
            (r#"{"whole":{"a":1,"c":2}}"#, "whole.c: unknown field `c`, expected `a` or `b`"),
            (r#"{"choice":"none"}"#, "choice: unknown variant `none`, expected `plain` or `with`"),
            (r#"{"choice":{"with":"abc"}}"#, "choice.with: \"abc\" is odd"),
            (r#"{"tagged":{"kind":"one","n":300}}"#, "tagged: invalid value: integer `300`, expected u8"),
            (r#"{"tagged":{"kind":"one"},"number":2}"#, "tagged: missing field `n`"),
            (r#"{"pair":[1]}"#, "pair: invalid length 1, expected a tuple of size 2"),
            (r#"{"pair":[1,"ü"]}"#, "pair[1]: invalid type: string \"ü\", expected u8"),
        ] {
            assert_eq!(told(text), said, "{text}");
        }
    }

    proptest! {
        /// Any value in any place: a number put where a tree is expected is found there.
        #[test]
        fn a_wrong_value_is_found_wherever_it_is(steps in prop::collection::vec((any::<bool>(), "[a-c\"\\\\ü{,\\[]{0,3}", 0_usize..3), 0..5), spaced in any::<bool>()) {
            let mut value = Value::from(7);
            let mut path = Vec::new();
            for (is_map, key, before) in steps.iter().rev() {
                let empty = || Value::Object(serde_json::Map::new());
                value = if *is_map {
                    path.splice(0..0, [Step::Key("map".into()), Step::Key(key.clone())]);
                    serde_json::json!({"list": [{}], "map": {key.clone(): value}})
                } else {
                    path.splice(0..0, [Step::Key("list".into()), Step::Index(*before)]);
                    let mut list = vec![empty(); *before];
                    list.extend([value, empty()]);
                    serde_json::json!({"list": list, "number": 1})
                };
            }
            let text = if spaced { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
            let wrong = read::<Tree>(&text).unwrap_err();
            prop_assert_eq!(wrong.path, path, "{}", text);
        }

        /// Whatever the text is, reading it ends with a value or a reason.
        #[test]
        fn no_text_breaks_it(text in "[\\[\\]{},:\"\\\\a1 ü\n]{0,24}") {
            let _ = read::<Tree>(&text);
            let _ = read::<Value>(&text);
        }
    }
}
