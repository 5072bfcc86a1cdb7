//! The configuration that applies, as a file that would give it, with the origin of each value.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{Origin, is_secret};
use crate::store::without_password;

pub(super) fn print(merged: &Table, origins: &BTreeMap<String, Origin>) -> String {
    let mut out = String::new();
    print_table(merged, "", "", origins, &mut out);
    out
}

/// `path` is the table's name among the origins, `shown` as TOML has it.
fn print_table(table: &Table, path: &str, shown: &str, origins: &BTreeMap<String, Origin>, out: &mut String) {
    use std::fmt::Write as _;
    let below = |above: &str, key: &str| {
        if above.is_empty() { key.to_owned() } else { format!("{above}.{key}") }
    };
    let (tables, leaves): (Vec<_>, Vec<_>) = table.iter().partition(|(_, value)| value.is_table());
    if !shown.is_empty() && !leaves.is_empty() {
        writeln!(out, "\n[{shown}]").expect("a string takes all");
    }
    for (key, value) in leaves {
        let value = match value.as_str() {
            Some(text) if is_secret(key, text) => Value::from("***"),
            Some(url) if key == "store" => Value::from(without_password(url)),
            _ => short(value),
        };
        let origin = origins.get(&below(path, key)).unwrap_or(&Origin::Default);
        writeln!(out, "{:<40} # {origin}", format!("{} = {value}", quoted(key))).expect("a string takes all");
    }
    for (key, value) in tables {
        if let Some(inner) = value.as_table() {
            print_table(inner, &below(path, key), &below(shown, &quoted(key)), origins, out);
        }
    }
}

/// Some numbers are kept in single precision, where 0.8 is nearly 0.800000011920929.
fn short(value: &Value) -> Value {
    match value {
        Value::Float(number) if f64::from(*number as f32) == *number => {
            Value::Float((*number as f32).to_string().parse().expect("what a number prints as is a number"))
        }
        Value::Array(values) => Value::Array(values.iter().map(short).collect()),
        _ => value.clone(),
    }
}

/// A key as TOML wants it: names of models, pipelines and variables may hold anything.
fn quoted(key: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !key.is_empty() && key.bytes().all(bare) {
        return key.to_owned();
    }
    // JSON's escapes are TOML's, but for one character that only TOML escapes.
    serde_json::to_string(key).expect("a string is JSON").replace('\u{7f}', "\\u007f")
}
