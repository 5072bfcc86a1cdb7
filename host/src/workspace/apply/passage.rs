//! Finding a passage of whole lines in a file, and putting other lines in its place.

/// A file's lines, each without its line ending, and the endings apart.
pub(super) struct Lines<'a> {
    /// A byte order mark stays in front of whatever becomes of the first line.
    mark: &'a str,
    bodies: Vec<&'a str>,
    endings: Vec<&'a str>,
}

/// How lines are compared, strictest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rung {
    Exact,
    TrailingBlanks,
    /// Trailing ones as well.
    LeadingBlanks,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Once(Place),
    /// The first line of each place, from 0.
    Often(Vec<usize>),
    Never,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    first: usize,
    count: usize,
    rung: Rung,
}

/// Blanks are spaces and tabs; other white space is content.
const BLANKS: [char; 2] = [' ', '\t'];

impl Rung {
    fn key(self, line: &str) -> &str {
        match self {
            Self::Exact => line,
            Self::TrailingBlanks => line.trim_end_matches(BLANKS),
            Self::LeadingBlanks => line.trim_matches(BLANKS),
        }
    }
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let (mark, text) = match text.strip_prefix('\u{feff}') {
            Some(rest) => (&text[..text.len() - rest.len()], rest),
            None => ("", text),
        };
        let (bodies, endings) = text.split_inclusive('\n').map(split_ending).unzip();
        Self { mark, bodies, endings }
    }

    pub(super) fn bodies(&self) -> &[&'a str] {
        &self.bodies
    }

    /// Where the passage is, by the strictest comparison that finds it at all.
    pub(super) fn find(&self, search: &str) -> Found {
        let wanted = bodies(search);
        for rung in [Rung::Exact, Rung::TrailingBlanks, Rung::LeadingBlanks] {
            let at = self.positions(&wanted, rung);
            match at[..] {
                [] => {}
                [first] => return Found::Once(Place { first, count: wanted.len(), rung }),
                _ => return Found::Often(at),
            }
        }
        Found::Never
    }

    /// Knuth, Morris and Pratt over lines: linear however repetitive the file is.
    fn positions(&self, wanted: &[&str], rung: Rung) -> Vec<usize> {
        let wanted: Vec<&str> = wanted.iter().map(|line| rung.key(line)).collect();
        if wanted.is_empty() || wanted.len() > self.bodies.len() {
            return Vec::new();
        }
        let mut fallback = vec![0; wanted.len()];
        let mut matched = 0;
        for at in 1..wanted.len() {
            while matched > 0 && wanted[at] != wanted[matched] {
                matched = fallback[matched - 1];
            }
            matched += usize::from(wanted[at] == wanted[matched]);
            fallback[at] = matched;
        }
        let mut found = Vec::new();
        matched = 0;
        for (at, line) in self.bodies.iter().map(|line| rung.key(line)).enumerate() {
            while matched > 0 && (matched == wanted.len() || line != wanted[matched]) {
                matched = fallback[matched - 1];
            }
            matched += usize::from(line == wanted[matched]);
            if matched == wanted.len() {
                found.push(at + 1 - matched);
            }
        }
        found
    }

    /// The file with `replace` at `place`, which `search` has found.
    pub(super) fn replace(&self, place: &Place, search: &str, replace: &str) -> String {
        let after = place.first + place.count;
        let mut new = bodies(replace).iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        if place.rung == Rung::LeadingBlanks {
            let indents = Indents::between(&bodies(search), &self.bodies[place.first..after]);
            new = new.iter().map(|line| indents.apply(line)).collect();
        }
        let ending = self.ending_at(place.first);
        let unterminated =
            self.endings.last().is_some_and(|ending| ending.is_empty()) && after == self.bodies.len();
        let mut text = self.mark.to_owned();
        self.push(&mut text, 0..place.first);
        for (at, line) in new.iter().enumerate() {
            text.push_str(line);
            if !(unterminated && at + 1 == new.len()) {
                text.push_str(ending);
            }
        }
        self.push(&mut text, after..self.bodies.len());
        text
    }

    fn push(&self, text: &mut String, range: std::ops::Range<usize>) {
        for at in range {
            text.push_str(self.bodies[at]);
            text.push_str(self.endings[at]);
        }
    }

    /// The line's own ending; for a last line without one, that of the line before.
    fn ending_at(&self, line: usize) -> &'a str {
        let own = self.endings[..=line].iter().rev().find(|ending| !ending.is_empty());
        own.copied().unwrap_or("\n")
    }
}

/// The lines of a text that was written for whole lines: a final line ending adds no empty line.
pub(super) fn bodies(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').map(|line| split_ending(line).0).collect()
}

fn split_ending(line: &str) -> (&str, &str) {
    let body = match line.strip_suffix('\n') {
        Some(rest) => rest.strip_suffix('\r').unwrap_or(rest),
        None => line,
    };
    (body, &line[body.len()..])
}

pub(super) fn mostly_crlf(text: &str) -> bool {
    let newlines = text.matches('\n').count();
    newlines > 0 && text.matches("\r\n").count() * 2 > newlines
}

/// `old` with `addition` on lines of its own at its end, in the line endings of `old`.
pub(super) fn append(old: &str, addition: &str) -> String {
    let crlf = mostly_crlf(old);
    let mut text = old.to_owned();
    if !(old.is_empty() || old.ends_with('\n') || addition.is_empty()) {
        text.push_str(if crlf { "\r\n" } else { "\n" });
    }
    if crlf && !addition.contains("\r\n") {
        text.push_str(&addition.replace('\n', "\r\n"));
    } else if !crlf && old.contains('\n') {
        text.push_str(&addition.replace("\r\n", "\n"));
    } else {
        text.push_str(addition);
    }
    text
}

/// Different indents of one passage that are told apart; no code has more.
const MAX_INDENTS: usize = 64;

/// Which indent in the search stands for which indent in the file.
struct Indents<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Indents<'a> {
    fn between(search: &[&'a str], place: &[&'a str]) -> Self {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for (wanted, there) in search.iter().zip(place) {
            if pairs.len() == MAX_INDENTS {
                break;
            }
            let pair = (indent(wanted), indent(there));
            if !wanted.trim_matches(BLANKS).is_empty() && !pairs.iter().any(|(from, _)| *from == pair.0) {
                pairs.push(pair);
            }
        }
        Self(pairs)
    }

    fn apply(&self, line: &str) -> String {
        let own = indent(line);
        let body = &line[own.len()..];
        if body.is_empty() {
            return String::new();
        }
        let deepest =
            self.0.iter().filter(|(from, _)| own.starts_with(from)).max_by_key(|(from, _)| from.len());
        match (deepest, self.0.first()) {
            (Some((from, to)), _) => format!("{to}{}{body}", deeper(&own[from.len()..], from, to)),
            // Less indented than all that was searched for: take as much off the place's indent.
            (None, Some((from, to))) => {
                let less = from.len().saturating_sub(own.len());
                format!("{}{body}", &to[..to.len().saturating_sub(less)])
            }
            (None, None) => line.to_owned(),
        }
    }
}

/// A further indent, in tabs where the place has tabs for the search's spaces.
fn deeper(extra: &str, from: &str, to: &str) -> String {
    let in_tabs = !to.is_empty() && to.chars().all(|c| c == '\t');
    let in_spaces = |text: &str| text.chars().all(|c| c == ' ');
    if in_tabs && in_spaces(from) && in_spaces(extra) && from.len() >= to.len() {
        let width = from.len() / to.len();
        return "\t".repeat(extra.len() / width) + &" ".repeat(extra.len() % width);
    }
    extra.to_owned()
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches(BLANKS).len()]
}
