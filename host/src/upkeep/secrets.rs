//! A configuration file without its secrets.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::is_secret;

/// The text as it was, with each secret's value emptied. The file has been read as configuration before:
/// what is no TOML here has changed since, and is left out whole.
pub(super) fn blanked(text: &str) -> String {
    let Ok(table) = DeTable::parse(text) else { return String::new() };
    let mut spans = Vec::new();
    collect(table.get_ref(), &mut spans);
    spans.sort_by_key(|span: &std::ops::Range<usize>| std::cmp::Reverse(span.start));
    let mut out = text.to_owned();
    for span in spans {
        out.replace_range(span, "\"\"");
    }
    out
}

fn collect(table: &DeTable<'_>, spans: &mut Vec<std::ops::Range<usize>>) {
    for (key, value) in table {
        walk(key.get_ref(), value, spans);
    }
}

fn walk(key: &str, value: &Spanned<DeValue<'_>>, spans: &mut Vec<std::ops::Range<usize>>) {
    match value.get_ref() {
        DeValue::Table(inner) => collect(inner, spans),
        DeValue::Array(values) => values.iter().for_each(|value| walk(key, value, spans)),
        DeValue::String(text) if is_secret(key, text) => spans.push(value.span()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        let text = "# mine\ntoken = \"s3cret\"   # hidden\nlisten = \"127.0.0.1:1\"\n\n[a]\npassword = 'x'\nb = { password = \"y\", c = 1 }\n";
        let want = "# mine\ntoken = \"\"   # hidden\nlisten = \"127.0.0.1:1\"\n\n[a]\npassword = \"\"\nb = { password = \"\", c = 1 }\n";
        assert_eq!(blanked(text), want);
        assert_eq!(blanked("token = "), "");
    }
}
