//! What changes from run to run, taken out, so that whole answers can be compared.

use serde_json::{Value, json};

/// Replaces ids, times, durations and digests of plugins by words.
pub(crate) fn steady(mut value: Value) -> Value {
    settle(&mut value);
    value
}

fn settle(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), &*value) {
                    (_, Value::Null) => {}
                    ("at" | "oldest_queued_at" | "submitted_at" | "started_at" | "ended_at", _) => {
                        *value = json!("TIME")
                    }
                    ("wall_ms" | "compute_ms" | "peak_memory_bytes", Value::Number(_)) => {
                        *value = json!("FIGURE")
                    }
                    ("worker", _) => *value = json!("WORKER"),
                    _ => settle(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(settle),
        Value::String(text) if text.starts_with("sha256:") => *value = json!("DIGEST"),
        Value::String(text) => *text = without_ids(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Task ids are 26 capitals and digits.
fn without_ids(text: &str) -> String {
    let id = |word: &str| {
        word.len() == 26 && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    let found = text.split(|c: char| !c.is_ascii_alphanumeric()).find(|word| id(word));
    found.map_or_else(|| text.to_owned(), |found| text.replace(found, "ID"))
}

/// A text with each figure of seconds (`1.3 s`) replaced by TIME, every line ended.
pub(crate) fn without_times(text: &str) -> String {
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let mut out: Vec<&str> = Vec::new();
        for word in &words {
            let unit = word.starts_with('s') && word[1..].bytes().all(|byte| b"),".contains(&byte));
            match out.last().and_then(|last| last.parse::<f64>().ok()) {
                Some(_) if unit && out.last().is_some_and(|last| last.contains('.')) => {
                    out.pop();
                    out.push(match word.len() {
                        1 => "TIME",
                        _ => "TIME)",
                    });
                }
                _ => out.push(word),
            }
        }
        out.join(" ") + "\n"
    };
    text.lines().map(line).collect()
}
