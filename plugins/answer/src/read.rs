//! From a model's answer to edits: which block is which file's, and which of several is meant.
use crate::bindings::types::{Completion, FinishReason};
use crate::bindings::workspace::{Edit, WholeFile};
use crate::fence::{self, Block};
use crate::place::{self, Place};
use crate::scene::Scene;
use crate::source::{self, Language};
use crate::{bare, python, replace};

/// The edits an answer amounts to, and what was done to it on the way, a line each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    pub edits: Vec<Edit>,
    pub notes: Vec<String>,
}

/// Why an answer gives no edits. Both are for the user, the second also for the model.
#[derive(Debug, Clone, PartialEq)]
pub enum Unusable {
    /// The answer ended at its token limit; asking the same again would end there again.
    Cut(String),
    /// Asking again, with this said, may help.
    Wrong(String),
}

/// One block's content on its way into a file.
struct Candidate {
    content: String,
    complete: bool,
}

/// Reads an answer in any of the forms models use, whichever was asked for.
///
/// # Errors
/// [`Unusable`], when no edit can be made of it. A file that the answer's end cuts off is never used,
/// unless the answer also holds it whole.
pub fn read(scene: &Scene, completion: &Completion) -> Result<Reading, Unusable> {
    let text = plain(&completion.text);
    let cut = completion.finish == FinishReason::Length;
    let mut reading = Reading::default();
    let blocks = if replace::present(&text) {
        read_replacements(scene, &text, cut, &mut reading)?;
        Vec::new()
    } else {
        fence::blocks(&text)
    };
    let mut files: Vec<(String, Vec<Candidate>)> = Vec::new();
    let mut add = |path: String, content: String, complete: bool| {
        let candidate = Candidate { content, complete };
        match files.iter_mut().find(|(known, _)| *known == path) {
            Some((_, candidates)) => candidates.push(candidate),
            None => files.push((path, vec![candidate])),
        }
    };
    let mut protected = Vec::new();
    let placed = place::places(scene, &blocks, &mut reading.notes).map_err(Unusable::Wrong)?;
    for (block, place) in blocks.iter().zip(placed) {
        match place {
            Place::File { path, .. } if scene.is_protected(&path) => protected.push(path),
            Place::File { path, skip_first_line } => {
                let content =
                    if skip_first_line { without_name(scene, &path, block) } else { block.content.clone() };
                add(path, content, block.closed || !cut);
            }
            Place::Diff => {
                for edit in replace::diff(&block.content) {
                    match edit {
                        Edit::Replace(part) if scene.is_protected(&part.path) => protected.push(part.path),
                        edit => reading.edits.push(edit),
                    }
                }
            }
            Place::Nowhere => {}
        }
    }
    if blocks.is_empty()
        && reading.edits.is_empty()
        && let Some(code) = bare::code(&text, scene)
    {
        let path = place::only_home(scene, &code, None).map_err(Unusable::Wrong)?;
        reading.notes.push(format!("no fence: took the answer's code as {path}"));
        add(path, code, !cut);
    }
    for path in &protected {
        reading.notes.push(format!("left out {path}: it is protected"));
    }
    for (path, candidates) in files {
        let content = choose(scene, &path, &candidates, &mut reading.notes)
            .ok_or_else(|| Unusable::Cut(cut_text(completion, Some(&path))))?;
        let content = finish(scene, &path, content, &mut reading.notes)?;
        reading.edits.push(Edit::Whole(WholeFile { path, content }));
    }
    refuse_nothing(scene, completion, protected, reading)
}

/// Line ends as `\n`, without a thinking part in front and end-of-text tokens behind.
fn plain(text: &str) -> String {
    let mut text = text.replace("\r\n", "\n");
    if let Some(end) = text.find("</think>")
        && text.trim_start().starts_with("<think>")
    {
        text.drain(..end + "</think>".len());
    }
    loop {
        let kept = text.trim_end();
        let token = kept.rfind("<|").filter(|at| {
            let inner = kept[*at..].strip_prefix("<|").and_then(|rest| rest.strip_suffix("|>"));
            inner.is_some_and(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        });
        match token {
            Some(at) => text.truncate(at),
            None => return text,
        }
    }
}

fn cut_text(completion: &Completion, path: Option<&str>) -> String {
    let inside = path.map_or(String::new(), |path| format!(" inside {path}"));
    format!(
        "the answer was cut after {} tokens{inside}; raise the setting max_tokens, use a model with a larger \
         context window, or split the task",
        completion.usage.output_tokens
    )
}

fn read_replacements(scene: &Scene, text: &str, cut: bool, reading: &mut Reading) -> Result<(), Unusable> {
    let target = match &scene.wanted[..] {
        [only] => Some(only.path.as_str()),
        _ => None,
    };
    let found = replace::replacements(text, target).map_err(|why| {
        if cut {
            Unusable::Cut(format!("the answer was cut: {why}; raise the setting max_tokens"))
        } else {
            Unusable::Wrong(why)
        }
    })?;
    for mut replacement in found {
        replacement.path =
            place::settle(scene, &replacement.path, &mut reading.notes).map_err(Unusable::Wrong)?;
        if scene.is_protected(&replacement.path) {
            reading.notes.push(format!("left out a change of {}: it is protected", replacement.path));
        } else {
            reading.edits.push(Edit::Replace(replacement));
        }
    }
    Ok(())
}

/// The content without the comment that names its file, unless the file had that line before.
fn without_name(scene: &Scene, path: &str, block: &Block) -> String {
    let rest = block.content.trim_start_matches('\n');
    let (first, rest) = rest.split_once('\n').unwrap_or((rest, ""));
    if scene.text(path).is_some_and(|before| before.lines().next() == Some(first.trim_end())) {
        return block.content.clone();
    }
    rest.trim_start_matches('\n').to_owned()
}

/// The block that is meant when an answer gives a file several times: the one that defines most of what
/// is asked, the last of those; parts that each define some of it are joined. `None`: none is complete.
fn choose(scene: &Scene, path: &str, candidates: &[Candidate], notes: &mut Vec<String>) -> Option<String> {
    let complete: Vec<_> = candidates.iter().filter(|candidate| candidate.complete).collect();
    if complete.len() < 2 {
        return complete.first().map(|candidate| candidate.content.clone());
    }
    let symbols =
        scene.wanted.iter().find(|wanted| wanted.path == path).map_or(&[][..], |wanted| &wanted.symbols);
    let defined: Vec<Vec<String>> = complete.iter().map(|c| source::definitions(&c.content)).collect();
    let asked = |at: usize| symbols.iter().filter(|symbol| defined[at].contains(symbol)).count();
    let all = symbols.iter().filter(|symbol| defined.iter().any(|names| names.contains(symbol))).count();
    let best = (0..complete.len()).max_by_key(|at| (asked(*at), !defined[*at].is_empty(), *at))?;
    let parts: Vec<usize> = (0..complete.len()).filter(|at| asked(*at) > 0).collect();
    let apart = parts.iter().map(|at| asked(*at)).sum::<usize>() == all;
    if all > asked(best) && apart {
        notes.push(format!("joined {} blocks into {path}", parts.len()));
        return Some(parts.iter().map(|at| complete[*at].content.as_str()).collect::<Vec<_>>().join("\n"));
    }
    notes.push(format!("took block {} of {} for {path}", best + 1, complete.len()));
    Some(complete[best].content.clone())
}

/// Repairs what is plainly wrong, and refuses a file with parts left out.
fn finish(scene: &Scene, path: &str, content: String, notes: &mut Vec<String>) -> Result<String, Unusable> {
    let before = scene.text(path);
    let content = if source::language(path) == Language::Python {
        let stem = path.strip_suffix(".py").unwrap_or(path).replace('/', ".");
        let module = if stem.ends_with("__init__") { "" } else { stem.rsplit('.').next().unwrap_or("") };
        let wanted = scene.wanted.iter().find(|wanted| wanted.path == path);
        let sources: Vec<&str> = [Some(scene.goal_code.as_str()), before].into_iter().flatten().collect();
        let symbols = wanted.map_or(&[][..], |wanted| &wanted.symbols);
        let given = python::Given { module, sources: &sources, symbols, before };
        let (content, made) = python::repair(&content, &given);
        if let Some(name) = python::hollow(&content, &given) {
            return Err(Unusable::Wrong(format!("{name} in {path} has no body; write the whole function")));
        }
        notes.extend(made.into_iter().map(|note| format!("{path}: {note}")));
        content
    } else {
        content
    };
    let elided = before.is_some_and(|before| {
        content.lines().any(|line| python::is_elision(line) && !before.lines().any(|known| known == line))
    });
    if elided {
        return Err(Unusable::Wrong(format!(
            "the answer leaves out parts of {path}; the complete file is needed"
        )));
    }
    Ok(content)
}

fn refuse_nothing(
    scene: &Scene,
    completion: &Completion,
    protected: Vec<String>,
    mut reading: Reading,
) -> Result<Reading, Unusable> {
    let found = reading.edits.len();
    let same = |edit: &Edit| match edit {
        Edit::Whole(file) => scene.text(&file.path).map(str::trim_end) == Some(file.content.trim_end()),
        Edit::Replace(part) => part.search == part.replace,
        Edit::Remove(_) => false,
    };
    reading.edits.retain(|edit| !same(edit));
    if !reading.edits.is_empty() {
        return Ok(reading);
    }
    if completion.finish == FinishReason::Length {
        return Err(Unusable::Cut(cut_text(completion, None)));
    }
    Err(Unusable::Wrong(if found > 0 {
        "the answer repeats the code as it is and changes nothing".into()
    } else if let [path, ..] = &protected[..] {
        format!("the answer only writes {path}, which is protected and can't be changed")
    } else if completion.text.trim().is_empty() {
        "the answer is empty".into()
    } else {
        "the answer holds no code".into()
    }))
}
