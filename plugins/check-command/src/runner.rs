/// cargo test
pub mod cargo;
/// go test, plain and -json
pub mod go;
/// node --test, TAP and spec
pub mod node;
/// pytest
pub mod pytest;
/// python -m unittest
pub mod unittest;

use crate::places::Places;
use crate::report::Findings;

type Parser = fn(&str, &Places) -> Option<Findings>;

/// Each returns `None` for an output that is not of its tool.
const PARSERS: [Parser; 6] =
    [cargo::parse, pytest::parse, unittest::parse, node::parse, go::parse_json, go::parse];

/// Reads an output, which may hold those of several tools. `None`: of no known tool.
pub fn parse(output: &str, places: &Places) -> Option<Findings> {
    let mut all: Option<Findings> = None;
    for findings in PARSERS.iter().filter_map(|parse| parse(output, places)) {
        all.get_or_insert_default().add(findings);
    }
    all
}

/// The number before or after a word: `number("3 failed", "failed")`.
pub(crate) fn number_before(text: &str, word: &str) -> u32 {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '=')).collect();
    words.windows(2).find(|w| w[1] == word).and_then(|w| w[0].parse().ok()).unwrap_or(0)
}

/// Lines without the indentation they share.
pub(crate) fn dedent(lines: &[&str]) -> String {
    let indent = |l: &&str| l.len() - l.trim_start().len();
    let least = lines.iter().filter(|l| !l.trim().is_empty()).map(indent).min().unwrap_or(0);
    let cut: Vec<&str> = lines.iter().map(|l| l.get(least..).unwrap_or("").trim_end()).collect();
    cut.join("\n").trim_matches('\n').to_string()
}
