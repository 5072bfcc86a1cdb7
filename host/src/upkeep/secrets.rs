//! A configuration file without its secrets.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::is_secret;
use crate::store::without_password;

/// A place in the text, and what stands there instead.
type Blank = (Range<usize>, String);

/// The text as it was, without its secrets. The file has been read as configuration before: what is no
/// TOML here has changed since, and is left out whole.
pub(super) fn blanked(text: &str) -> String {
    let Ok(table) = DeTable::parse(text) else { return String::new() };
    let mut blanks = Vec::new();
    collect(table.get_ref(), &mut blanks);
    blanks.sort_by_key(|(span, _): &Blank| std::cmp::Reverse(span.start));
    let mut out = text.to_owned();
    for (span, instead) in blanks {
        out.replace_range(span, &toml::Value::from(instead).to_string());
    }
    out
}

fn collect(table: &DeTable<'_>, blanks: &mut Vec<Blank>) {
    for (key, value) in table {
        walk(key.get_ref(), value, blanks);
    }
}

fn walk(key: &str, value: &Spanned<DeValue<'_>>, blanks: &mut Vec<Blank>) {
    match value.get_ref() {
        DeValue::Table(inner) => collect(inner, blanks),
        DeValue::Array(values) => values.iter().for_each(|value| walk(key, value, blanks)),
        DeValue::String(text) if is_secret(key, text) => blanks.push((value.span(), String::new())),
        DeValue::String(url) if key == "store" => blanks.push((value.span(), without_password(url))),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        let text = "# mine\ntoken = \"s3cret\"   # hidden\nlisten = \"127.0.0.1:1\"\n\n[a]\npassword = 'x'\nstore = 'redis://u:p@h'\nb = { password = \"y\", c = 1 }\n";
        let want = "# mine\ntoken = \"\"   # hidden\nlisten = \"127.0.0.1:1\"\n\n[a]\npassword = \"\"\nstore = \"redis://***@h\"\nb = { password = \"\", c = 1 }\n";
        assert_eq!(blanked(text), want);
        assert_eq!(blanked("token = "), "");
    }
}
