//! What needs no sandbox, and is tested without one.

pub mod answer;

#[cfg(target_arch = "wasm32")]
mod plugin;

/// The file to repair: the one the problem names, one that its message names, else the first of `ours`,
/// which are the text files that may be changed.
pub fn suspect<'a>(path: Option<&str>, message: &str, ours: &[&'a str]) -> Option<&'a str> {
    let named = ours.iter().find(|ours| Some(**ours) == path);
    named.or_else(|| ours.iter().find(|ours| message.contains(**ours))).or(ours.first()).copied()
}

/// What the model is asked.
pub fn question(goal: &str, path: &str, code: &str, message: &str) -> String {
    [
        format!("Goal: {goal}"),
        format!("A check says:\n{message}"),
        format!("{path} is now:\n```\n{code}```"),
        format!("Answer with the whole corrected file {path} in one Markdown code block."),
    ]
    .join("\n\n")
}
