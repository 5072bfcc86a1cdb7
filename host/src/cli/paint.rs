//! Colours; `anstream` drops them where the output is no terminal.

use anstyle::{AnsiColor, Style};

pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const STEP: Style = AnsiColor::Cyan.on_default().bold();
pub(super) const FAINT: Style = Style::new().dimmed();

/// A unified diff with its lines coloured.
pub(super) fn diff(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for line in text.split_inclusive('\n') {
        let style = match line.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => Style::new().bold(),
            [b'+', ..] => AnsiColor::Green.on_default(),
            [b'-', ..] => AnsiColor::Red.on_default(),
            [b'@', ..] => AnsiColor::Cyan.on_default(),
            [b'd', b'i', b'f', b'f', ..] => Style::new().bold(),
            _ => Style::new(),
        };
        let text = line.strip_suffix('\n').unwrap_or(line);
        out.push_str(&format!("{}{text}{}", style.render(), style.render_reset()));
        if text.len() < line.len() {
            out.push('\n');
        }
    }
    out
}
