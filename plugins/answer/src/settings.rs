//! The settings of builder and fixer, as a pipeline gives them.
use crate::bindings::types::StepError;

/// How the model is asked to write its changes. Either way both are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Complete files in fenced blocks: what weak models do best.
    Whole,
    /// Search/replace blocks, for strong models and long files.
    SearchReplace,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `format`: `whole` (default) or `search-replace`.
    pub format: Format,
    /// `max_tokens`: the most tokens of one answer. Default: a quarter of the context window, or more
    /// where a file to rewrite is longer.
    pub max_tokens: Option<u32>,
    /// `system`: further instructions, put after the plugin's own.
    pub system: String,
    /// `edit_retries`: how often the model is asked again, inside one step, after an answer that can't
    /// be applied. Default 1, at most 5.
    pub edit_retries: u32,
    /// `approach` (fixer only): `repair` (default) or `afresh`.
    pub approach: Start,
}

/// The builder's keys.
pub const BUILDER: &[&str] = &["format", "max_tokens", "system", "edit_retries"];
/// The fixer's keys.
pub const FIXER: &[&str] = &["format", "max_tokens", "system", "edit_retries", "approach"];

/// How the fixer starts on a failure that is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Shows the code and asks for a correction.
    Repair,
    /// Asks for the code once more, with what failed and without the code: better with very small models.
    /// Files that were there before the task are repaired all the same.
    Afresh,
}

/// # Errors
/// `step-error.settings` for a key that is not in `keys` (with the nearest known one) or a bad value.
pub fn parse(pairs: &[(String, String)], keys: &[&str]) -> Result<Settings, StepError> {
    let mut settings = Settings {
        format: Format::Whole,
        max_tokens: None,
        system: String::new(),
        edit_retries: 1,
        approach: Start::Repair,
    };
    for (key, value) in pairs {
        let bad = |allowed: &str| StepError::Settings(format!("{key} = {value:?}: {allowed}"));
        match key.as_str() {
            unknown if !keys.contains(&unknown) => {
                let nearest =
                    keys.iter().min_by_key(|known| distance(key, known)).expect("a plugin has keys");
                let known = keys.join(", ");
                return Err(StepError::Settings(format!(
                    "unknown setting {key}; did you mean {nearest}? (known: {known})"
                )));
            }
            "format" => {
                settings.format = match value.as_str() {
                    "whole" => Format::Whole,
                    "search-replace" => Format::SearchReplace,
                    _ => return Err(bad("allowed are whole and search-replace")),
                }
            }
            "max_tokens" => {
                let tokens = value.parse().ok().filter(|tokens| *tokens >= 16);
                settings.max_tokens = Some(tokens.ok_or_else(|| bad("allowed is a number from 16"))?);
            }
            "system" => settings.system.clone_from(value),
            "edit_retries" => {
                let retries = value.parse().ok().filter(|retries| *retries <= 5);
                settings.edit_retries = retries.ok_or_else(|| bad("allowed is a number from 0 to 5"))?;
            }
            _ => {
                settings.approach = match value.as_str() {
                    "repair" => Start::Repair,
                    "afresh" => Start::Afresh,
                    _ => return Err(bad("allowed are repair and afresh")),
                }
            }
        }
    }
    Ok(settings)
}

/// Levenshtein's distance; the keys are a few bytes long.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        let pairs: Vec<_> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        parse(&pairs, FIXER).map_err(|error| match error {
            StepError::Settings(text) => text,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn reads_every_key_and_names_what_is_wrong() {
        let all = [
            ("format", "search-replace"),
            ("max_tokens", "900"),
            ("system", "Be brief."),
            ("edit_retries", "0"),
            ("approach", "afresh"),
        ];
        let want = Settings {
            format: Format::SearchReplace,
            max_tokens: Some(900),
            system: "Be brief.".into(),
            edit_retries: 0,
            approach: Start::Afresh,
        };
        assert_eq!(parsed(&all), Ok(want));
        for (key, value, said) in [
            ("max_token", "1", "did you mean max_tokens?"),
            ("retries", "1", "did you mean edit_retries?"),
            ("format", "diff", "whole and search-replace"),
            ("max_tokens", "-1", "a number from 16"),
            ("edit_retries", "9", "0 to 5"),
        ] {
            let text = parsed(&[(key, value)]).expect_err("refused");
            assert!(text.contains(said), "{text}");
        }
    }
}
