#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
    Broken,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    pub test: Option<String>,
    pub path: Option<String>,
    /// From 1.
    pub line: Option<u32>,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub verdict: Verdict,
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
    pub problems: Vec<Problem>,
    pub output: String,
}

/// What one parser read from an output whose shape it knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
    /// Tests ran and passed, though the tool does not say how many.
    pub some_passed: bool,
    pub problems: Vec<Problem>,
}

impl Findings {
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.some_passed |= other.some_passed;
        self.problems.extend(other.problems);
    }
}

/// At most `limit` bytes of a text: its beginning and its end, with a note in between.
pub fn middle_cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_string();
    }
    let head = text.floor_char_boundary(limit / 2);
    let tail = text.ceil_char_boundary(text.len() - limit / 2);
    format!("{}\n[... {} bytes left out ...]\n{}", &text[..head], tail - head, &text[tail..])
}

/// The last lines of a text, at most `limit` bytes.
pub fn tail(text: &str, limit: usize) -> &str {
    let text = text.trim_end();
    let start = text.ceil_char_boundary(text.len().saturating_sub(limit));
    match text[start..].find('\n') {
        Some(end) if start > 0 => &text[start + end + 1..],
        _ => &text[start..],
    }
}
