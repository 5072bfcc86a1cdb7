//! What a step knows before it asks: the tree, the tests, and which files the task is about.
/// Where an import leads.
mod resolve;

use std::collections::{BTreeMap, BinaryHeap};

use crate::bindings::types::{Level, StepError, Task};
use crate::bindings::workspace::{Entry, WorkspaceError};
use crate::host::Host;
use crate::source::{self, Language};
use crate::{fence, name};

use resolve::Target;

/// Files read beyond the tests: what a prompt could hold at all.
const MOST_SHOWN: usize = 30;
/// A file longer than this is never read to be shown; no model's window would hold it.
const MOST_BYTES: u64 = 1 << 20;
/// Tests taken by convention when the task names none.
const MOST_TESTS: usize = 20;

/// A file the answer is expected to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    pub path: String,
    /// The names it is to define, as far as tests and goal tell.
    pub symbols: Vec<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Scene {
    pub goal: String,
    /// The code inside the goal, if any.
    pub goal_code: String,
    pub entries: Vec<Entry>,
    /// The task's tests, or those found by the languages' conventions.
    pub tests: Vec<String>,
    pub protected: Vec<String>,
    /// The text of all files in `tests`, `wanted` and `shown` that exist.
    pub texts: BTreeMap<String, String>,
    pub wanted: Vec<Wanted>,
    /// Existing files worth showing beside tests and wanted ones, the closest first.
    pub shown: Vec<String>,
}

/// Paths in order of a number, then of their names. By a heap, and one for all: the library's sort adds six
/// kilobytes to a plugin for each type.
pub(crate) fn sorted(paths: Vec<(u64, &str)>) -> Vec<(u64, &str)> {
    BinaryHeap::from(paths).into_sorted_vec()
}

/// A workspace error as the step's own.
pub fn step_error(error: WorkspaceError) -> StepError {
    match error {
        WorkspaceError::Denied(text) => StepError::Denied(text),
        WorkspaceError::InvalidPath(text)
        | WorkspaceError::NotFound(text)
        | WorkspaceError::TooLarge(text)
        | WorkspaceError::Other(text) => StepError::Other(text),
    }
}

impl Scene {
    /// Looks at the tree. `suspects` are paths that a failed check points at.
    ///
    /// # Errors
    /// What the workspace says when it can't be listed or a file it lists can't be read.
    pub fn survey(host: &mut impl Host, task: &Task, suspects: &[String]) -> Result<Self, StepError> {
        let mut scene = Self {
            goal: task.goal.clone(),
            goal_code: goal_code(&task.goal),
            entries: host.list("**").map_err(step_error)?,
            protected: task.protected.clone(),
            tests: task.tests.clone(),
            ..Self::default()
        };
        if scene.tests.is_empty() {
            let tests = scene.entries.iter().filter(|entry| entry.text && source::is_test(&entry.path));
            scene.tests = tests.map(|entry| entry.path.clone()).take(MOST_TESTS).collect();
        }
        for path in scene.tests.clone() {
            scene.load(host, &path)?;
        }
        scene.want_named();
        scene.want_imported(suspects);
        scene.want_what_is_left();
        scene.show(host)?;
        scene.add_symbols();
        for path in scene.wanted.iter().map(|wanted| &wanted.path) {
            host.log(Level::Debug, &format!("the task is about {path}"));
        }
        Ok(scene)
    }

    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.path == path)
    }

    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Whether the step must leave this file alone.
    pub fn is_protected(&self, path: &str) -> bool {
        self.entry(path).is_some_and(|entry| entry.protected)
            || self.protected.iter().any(|glob| matches(glob, path))
    }

    /// The code files that a builder could change.
    pub fn sources(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| {
            let name = entry.path.rsplit('/').next().unwrap_or("");
            let aside = matches!(name, "setup.py" | "__init__.py" | "build.rs");
            let test = source::is_test(&entry.path) || self.tests.contains(&entry.path);
            entry.text && !entry.protected && !aside && !test && source::is_code(name)
        })
    }

    fn load(&mut self, host: &mut impl Host, path: &str) -> Result<bool, StepError> {
        if self.texts.contains_key(path) {
            return Ok(true);
        }
        let readable = self.entry(path).is_some_and(|entry| entry.text && entry.size <= MOST_BYTES);
        if !readable {
            return Ok(false);
        }
        let bytes = host.read(path).map_err(step_error)?;
        match String::from_utf8(bytes) {
            Ok(text) => self.texts.insert(path.to_owned(), text),
            Err(_) => return Err(StepError::Other(format!("{path} is listed as text but is not UTF-8"))),
        };
        Ok(true)
    }

    fn want(&mut self, path: String, symbols: Vec<String>) {
        if self.tests.contains(&path) || self.is_protected(&path) {
            return;
        }
        match self.wanted.iter_mut().find(|wanted| wanted.path == path) {
            Some(known) => known.symbols.extend(symbols),
            None => self.wanted.push(Wanted { path, symbols }),
        }
    }

    /// The files that the goal names.
    fn want_named(&mut self) {
        // Names of software that read like files.
        const PRODUCTS: &[&str] =
            &["node.js", "next.js", "vue.js", "react.js", "express.js", "three.js", "d3.js"];
        for path in name::paths(&self.goal) {
            if PRODUCTS.contains(&path.to_ascii_lowercase().as_str()) || name::climbs(&path) {
                continue;
            }
            let ending = format!("/{path}");
            let mut known =
                self.entries.iter().filter(|entry| entry.path == path || entry.path.ends_with(&ending));
            match (known.next(), known.next()) {
                (Some(entry), None) if source::is_code(&path) => self.want(entry.path.clone(), Vec::new()),
                (Some(entry), None) => self.shown.push(entry.path.clone()),
                (None, _) if !source::is_test(&path) => self.want(path, Vec::new()),
                _ => {}
            }
        }
    }

    /// The modules that the tests import, and the files a failed check points at.
    fn want_imported(&mut self, suspects: &[String]) {
        for path in suspects {
            if self.sources().any(|entry| entry.path == *path) {
                self.want(path.clone(), Vec::new());
            }
        }
        for test in self.tests.clone() {
            let Some(text) = self.text(&test).map(str::to_owned) else { continue };
            for import in source::imports(&text, source::language(&test)) {
                let mut symbols = import.names.clone();
                if symbols.is_empty() {
                    // Used by its full name, or by its last part as an alias.
                    symbols = attributes(&text, &import.module);
                    symbols.extend(attributes(&text, import.module.rsplit('.').next().unwrap_or("")));
                }
                for target in self.resolve(&test, &import) {
                    match target {
                        Target::Existing(path) | Target::Missing(path) => self.want(path, symbols.clone()),
                    }
                }
            }
        }
    }

    /// When neither goal nor tests tell: the tests' namesakes, or the only source file.
    fn want_what_is_left(&mut self) {
        if !self.wanted.is_empty() {
            return;
        }
        let sources: Vec<String> = self.sources().map(|entry| entry.path.clone()).take(2).collect();
        if let [only] = &sources[..] {
            return self.want(only.clone(), Vec::new());
        }
        for test in self.tests.clone() {
            let (folder, file) =
                test.rsplit_once('/').map_or(("", test.as_str()), |(folder, file)| (folder, file));
            let plain = file.replace(".test.", ".").replace(".spec.", ".").replace("_test.", ".");
            let plain = plain.strip_prefix("test_").unwrap_or(&plain).to_owned();
            if plain == file {
                continue;
            }
            let existing = self.sources().find(|entry| entry.path.rsplit('/').next() == Some(&plain));
            let beside = if folder.is_empty() { plain.clone() } else { format!("{folder}/{plain}") };
            // Go keeps tests beside the code; elsewhere a test folder says nothing of where code belongs.
            match existing.map(|entry| entry.path.clone()) {
                Some(path) => self.want(path, Vec::new()),
                None if folder.is_empty() || source::language(&test) == Language::Go => {
                    self.want(beside, Vec::new())
                }
                None => {}
            }
        }
    }

    fn show(&mut self, host: &mut impl Host) -> Result<(), StepError> {
        let mut queue: Vec<String> = self.wanted.iter().map(|wanted| wanted.path.clone()).collect();
        queue.append(&mut self.shown);
        if self.wanted.is_empty() {
            let sources = self.sources().map(|entry| (entry.size, entry.path.as_str()));
            queue.extend(sorted(sources.collect()).into_iter().map(|(_, path)| path.to_owned()));
        }
        let mut at = 0;
        while at < queue.len().min(MOST_SHOWN) {
            let path = queue[at].clone();
            at += 1;
            if !self.load(host, &path)? {
                continue;
            }
            let text = self.texts[&path].clone();
            for import in source::imports(&text, source::language(&path)) {
                for target in self.resolve(&path, &import) {
                    if let Target::Existing(path) = target
                        && !queue.contains(&path)
                        && !self.tests.contains(&path)
                    {
                        queue.push(path);
                    }
                }
            }
        }
        let wanted = |path: &String| self.wanted.iter().any(|wanted| wanted.path == *path);
        self.shown =
            queue.into_iter().filter(|path| self.texts.contains_key(path) && !wanted(path)).collect();
        Ok(())
    }

    /// What the goal's code defines is asked of the only wanted file; failing that, what it has already.
    fn add_symbols(&mut self) {
        let from_goal = source::definitions(&self.goal_code);
        let texts = &self.texts;
        if let [wanted] = &mut self.wanted[..] {
            wanted.symbols.extend(from_goal);
            if wanted.symbols.is_empty() {
                wanted.symbols =
                    texts.get(&wanted.path).map_or_else(Vec::new, |text| source::definitions(text));
            }
        }
        for wanted in &mut self.wanted {
            let mut seen = Vec::new();
            wanted.symbols.retain(|symbol| !seen.contains(symbol) && (seen.push(symbol.clone()), true).1);
        }
    }
}

/// The names taken from a module by `module.name`.
fn attributes(text: &str, module: &str) -> Vec<String> {
    let marker = format!("{module}.");
    let mut found = Vec::new();
    for (at, _) in text.match_indices(&marker) {
        let inside = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
        if let Some(name) = source::identifier(&text[at + marker.len()..])
            && !inside
            && !found.iter().any(|known| known == name)
        {
            found.push(name.to_owned());
        }
    }
    found
}

/// The code in a goal: its fenced blocks, else everything from the first line that reads as code.
fn goal_code(goal: &str) -> String {
    let blocks = fence::blocks(goal);
    if !blocks.is_empty() {
        return blocks.iter().map(|block| block.content.as_str()).collect();
    }
    const STARTS: &[&str] =
        &["def ", "async def ", "class ", "from ", "import ", "@", "fn ", "pub fn ", "function ", "func "];
    let mut at = 0;
    for line in goal.split_inclusive('\n') {
        let code = STARTS.iter().any(|start| line.starts_with(start));
        if code && goal[at..].lines().any(|line| line.trim_end().ends_with([':', '{'])) {
            return goal[at..].to_owned();
        }
        at += line.len();
    }
    String::new()
}

/// Whether a path matches a glob of `*`, `**` and `?`. Other syntax is left to the host, which has the last word.
fn matches(glob: &str, path: &str) -> bool {
    fn at(glob: &[u8], path: &[u8]) -> bool {
        match glob {
            [] => path.is_empty(),
            [b'*', b'*', b'/', rest @ ..] => {
                at(rest, path)
                    || path.iter().enumerate().any(|(i, byte)| *byte == b'/' && at(rest, &path[i + 1..]))
            }
            [b'*', b'*', rest @ ..] => (0..=path.len()).any(|i| at(rest, &path[i..])),
            [b'*', rest @ ..] => {
                let end = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
                (0..=end).any(|i| at(rest, &path[i..]))
            }
            [b'?', rest @ ..] => path.first().is_some_and(|byte| *byte != b'/') && at(rest, &path[1..]),
            [byte, rest @ ..] => path.first() == Some(byte) && at(rest, &path[1..]),
        }
    }
    at(glob.as_bytes(), path.as_bytes())
}
