//! Puts a prompt together so that it fits the model's window, and says what it had to leave out.
use crate::bindings::model::ModelLimits;
use crate::bindings::types::{Message, ModelError, Role, StepError};
use crate::fence;
use crate::replace;
use crate::scene::{Scene, sorted};
use crate::settings::{Format, Settings};
use crate::source;

/// Paths in the overview of the tree; more help no model and cost it room.
const MOST_LISTED: usize = 100;
/// Tokens that a chat template puts around the messages, generously.
const TEMPLATE: u64 = 64;

/// A part of the prompt that stands or falls as a whole.
#[derive(Debug, Clone)]
pub struct Section {
    /// What to call it when there is no room for it.
    pub name: String,
    pub text: String,
}

impl Section {
    /// A file, shown whole under `title`.
    pub fn file(title: &str, path: &str, content: &str) -> Self {
        let fence = fence::around(content);
        let tag = source::tag(path);
        let content = content.trim_end();
        Self { name: path.to_owned(), text: format!("{title}\n{fence}{tag}\n{content}\n{fence}\n") }
    }
}

/// A prompt before it is cut to size.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    pub system: String,
    pub opening: String,
    /// Without these the task can't be done.
    pub must: Vec<Section>,
    /// As many of these as there is room for, in this order; a later one that fits is taken where an
    /// earlier one is too long.
    pub may: Vec<Section>,
    pub closing: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    pub messages: Vec<Message>,
    /// The most tokens to ask for.
    pub max_tokens: u32,
    /// What there was no room for.
    pub left_out: Vec<String>,
}

/// The contract's rule of thumb: 3 bytes of code are a token. Prose takes fewer, so this errs to the safe side.
pub fn tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(3)
}

/// The prompt that fits, or how much too long even the least is.
///
/// # Errors
/// `context-too-long`, with both figures.
pub fn compose(
    scene: &Scene,
    limits: &ModelLimits,
    settings: &Settings,
    draft: Draft,
) -> Result<Prompt, StepError> {
    let window = u64::from(limits.context_window);
    let rewritten: u64 = scene.wanted.iter().filter_map(|wanted| scene.text(&wanted.path)).map(tokens).sum();
    let whole = settings.format == Format::Whole;
    let answer = match settings.max_tokens {
        Some(tokens) => u64::from(tokens),
        None => (window / 4).max(if whole { rewritten * 3 / 2 + 256 } else { 0 }),
    };
    let system = [draft.system.trim(), settings.system.trim()].join("\n");
    let must: u64 = draft.must.iter().map(|section| tokens(&section.text)).sum();
    let least = tokens(&system) + tokens(&draft.opening) + must + tokens(&draft.closing) + TEMPLATE;
    if least + answer > window {
        return Err(StepError::Model(ModelError::ContextTooLong(format!(
            "the goal, its tests and the files to change need about {least} tokens and the answer {answer}, but {} \
             takes {window}; use a model with a larger context window, name fewer tests, or set max_tokens",
            limits.model
        ))));
    }
    let mut room = window - least - answer;
    let mut sections = draft.must;
    let mut left_out = Vec::new();
    for section in draft.may {
        let size = tokens(&section.text);
        if size <= room {
            room -= size;
            sections.push(section);
        } else {
            left_out.push(section.name);
        }
    }
    let mut user = draft.opening.trim_end().to_owned();
    user.push_str("\n\n");
    for section in &sections {
        user.push_str(&section.text);
        user.push('\n');
    }
    if !left_out.is_empty() {
        let mut note =
            format!("Not shown here, for lack of room (the less related files): {}", left_out.join(", "));
        let most = usize::try_from(room * 3).unwrap_or(usize::MAX);
        if note.len() + 2 > most {
            note = format!("{} less related files are not shown, for lack of room.", left_out.len());
        }
        user.push_str(&note);
        user.push_str("\n\n");
    }
    user.push_str(&draft.closing);
    let messages = [(Role::System, system.trim().to_owned()), (Role::User, user)];
    let messages = messages.into_iter().filter(|(_, text)| !text.is_empty());
    let messages = messages.map(|(role, content)| Message { role, content }).collect();
    let answer = limits.tokens_left.map_or(answer, |left| answer.min(left.max(1)));
    Ok(Prompt { messages, max_tokens: u32::try_from(answer).unwrap_or(u32::MAX), left_out })
}

/// The tree, where it holds more than what is shown anyway.
pub fn overview(scene: &Scene) -> Option<Section> {
    let shown = |path: &str| scene.texts.contains_key(path);
    if scene.entries.iter().all(|entry| shown(&entry.path)) {
        return None;
    }
    let paths = scene.entries.iter().map(|entry| entry.path.as_str());
    let mut paths = sorted(paths.map(|path| (path.matches('/').count() as u64, path)).collect());
    let rest = paths.len().saturating_sub(MOST_LISTED);
    paths.truncate(MOST_LISTED);
    let paths = sorted(paths.into_iter().map(|(_, path)| (0, path)).collect());
    let paths: Vec<&str> = paths.into_iter().map(|(_, path)| path).collect();
    let mut text = format!("The files of the project:\n{}\n", paths.join("\n"));
    if rest > 0 {
        text.push_str(&format!("and {rest} more in deeper folders\n"));
    }
    Some(Section { name: "the list of files".into(), text })
}

/// How to answer, as the last words of a prompt.
pub fn form(scene: &Scene, format: Format) -> String {
    let paths: Vec<String> = scene.wanted.iter().map(|wanted| format!("`{}`", wanted.path)).collect();
    let tag = scene.wanted.first().map_or("", |wanted| source::tag(&wanted.path));
    match (format, &paths[..]) {
        (Format::Whole, [only]) => {
            format!(
                "Answer with the complete content of {only} in one ```{tag} block. Do not repeat the tests."
            )
        }
        (Format::Whole, paths) => {
            let files = match paths {
                [] => "every file you create or change".to_owned(),
                paths => paths.join(" and "),
            };
            format!(
                "Answer with the complete content of {files}. Put each file in a code block of its own, with its \
                 path as a comment on the block's first line. Do not repeat the tests."
            )
        }
        (Format::SearchReplace, _) => {
            let about = if paths.is_empty() {
                String::new()
            } else {
                format!(" (most likely in {})", paths.join(", "))
            };
            format!(
                "Answer with one search/replace block per change{about}, in exactly this form:\n\n\
                 path/of/the/file\n{}\nlines of the file as they are now, enough to be found only once\n{}\n\
                 lines to put in their place\n{}\n\n\
                 Leave the search part empty to write a new file.",
                replace::SEARCH,
                replace::MIDDLE,
                replace::REPLACE
            )
        }
    }
}
