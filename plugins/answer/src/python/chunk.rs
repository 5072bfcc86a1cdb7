//! Python source as its top-level statements, without a parser.
use crate::source::{definitions, identifier};

/// A top-level statement with the comments, decorators and blank lines that belong to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chunk {
    pub(super) kind: Kind,
    pub(super) text: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// The names it brings in.
    Import(Vec<String>),
    /// The names it defines.
    Definition(Vec<String>),
    Docstring,
    Other,
}

/// Follows strings and brackets from line to line.
#[derive(Default)]
pub(super) struct Lexer {
    string: Option<&'static str>,
    depth: usize,
    joined: bool,
}

impl Lexer {
    pub(super) fn open(&self) -> bool {
        self.string.is_some() || self.depth > 0 || self.joined
    }

    pub(super) fn feed(&mut self, line: &str) {
        self.code(line, &mut String::new());
    }

    /// Takes the next line; what of it is neither string nor comment goes to `code`.
    fn code(&mut self, line: &str, code: &mut String) {
        let mut rest = line;
        self.joined = false;
        while let Some(c) = rest.chars().next() {
            if let Some(quote) = self.string {
                if rest.starts_with('\\') {
                    rest = rest.get(1..).unwrap_or("");
                    rest = rest.get(rest.chars().next().map_or(0, char::len_utf8)..).unwrap_or("");
                    continue;
                }
                if let Some(after) = rest.strip_prefix(quote) {
                    self.string = None;
                    rest = after;
                    continue;
                }
            } else if let Some(quote) =
                ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| rest.starts_with(quote))
            {
                self.string = Some(quote);
                rest = &rest[quote.len()..];
                continue;
            } else {
                if c != '#' {
                    code.push(c);
                }
                match c {
                    '#' => break,
                    '(' | '[' | '{' => self.depth += 1,
                    ')' | ']' | '}' => self.depth = self.depth.saturating_sub(1),
                    '\\' if rest.len() == 1 => self.joined = true,
                    _ => {}
                }
            }
            rest = &rest[c.len_utf8()..];
        }
        code.push('\n');
        // A plain string ends with its line at the latest.
        if self.string.is_some_and(|quote| quote.len() == 1) {
            self.string = None;
        }
    }
}

pub(super) fn chunks(text: &str) -> Vec<Chunk> {
    let mut texts: Vec<String> = Vec::new();
    let mut lexer = Lexer::default();
    // Whether the next statement still belongs to what is collected (decorators, comments).
    let mut leading = false;
    for line in text.lines() {
        let at_top = !lexer.open() && !line.is_empty() && !line.starts_with([' ', '\t']);
        let word = identifier(line).unwrap_or("");
        let goes_on = matches!(word, "else" | "elif" | "except" | "finally");
        let belongs_ahead = line.starts_with(['#', '@']);
        if texts.is_empty() || (at_top && !goes_on && !leading) {
            texts.push(String::new());
        }
        if at_top {
            leading = belongs_ahead;
        }
        let current = texts.last_mut().expect("pushed above");
        current.push_str(line);
        current.push('\n');
        lexer.feed(line);
    }
    texts.into_iter().map(|text| Chunk { kind: kind(&text), text }).collect()
}

pub(super) fn kind(text: &str) -> Kind {
    let mut lines = text.lines().filter(|line| !line.starts_with(['#', '@']) && !line.trim().is_empty());
    let first = lines.find(|line| !line.starts_with([' ', '\t', ')'])).unwrap_or("");
    if first.starts_with("from ") || first.starts_with("import ") {
        return brought(text).map_or(Kind::Other, Kind::Import);
    }
    if first.starts_with(['"', '\'']) {
        return Kind::Docstring;
    }
    match definitions(text) {
        names if names.is_empty() => Kind::Other,
        names => Kind::Definition(names),
    }
}

/// The names an import statement brings in; `None` for prose that starts like one.
fn brought(text: &str) -> Option<Vec<String>> {
    let code = code_of(text).replace(['\n', '(', ')', '\\'], " ");
    let (head, list) = code.split_once("import ")?;
    if !head.is_empty() && head.split_whitespace().count() != 2 {
        return None;
    }
    let name = |part: &str| match part.split_whitespace().collect::<Vec<_>>()[..] {
        ["*"] => Some(String::new()),
        [name] => identifier(name).map(str::to_owned),
        [_, "as", name] => identifier(name).map(str::to_owned),
        _ => None,
    };
    let list = list.split('#').next().unwrap_or("");
    list.trim().trim_end_matches(',').split(',').map(name).collect()
}

pub(super) fn join(chunks: &[Chunk]) -> String {
    chunks.iter().map(|chunk| chunk.text.as_str()).collect()
}

/// The text without comments and strings, so that a name in prose does not count as used.
pub(super) fn code_of(text: &str) -> String {
    let mut lexer = Lexer::default();
    let mut code = String::new();
    for line in text.lines() {
        lexer.code(line, &mut code);
    }
    code
}
