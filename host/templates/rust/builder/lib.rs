//! What needs no sandbox, and is tested without one.

pub mod answer;

#[cfg(target_arch = "wasm32")]
mod plugin;

/// The file to write: the setting `file`, else the first word of the goal that looks like a file's name.
///
/// # Errors
/// The text of a `step-error.settings`.
pub fn target(goal: &str, settings: &[(String, String)]) -> Result<String, String> {
    if let Some((key, _)) = settings.iter().find(|(key, _)| key != "file") {
        return Err(format!("unknown setting {key}: the only one is file"));
    }
    if let Some((_, file)) = settings.first() {
        return Ok(file.clone());
    }
    let words = goal.split(|c: char| !(c.is_alphanumeric() || "_/.-".contains(c)));
    let named = words.map(|word| word.trim_matches('.')).find(|word| {
        let extension = word.rsplit_once('.').map(|(_, extension)| extension);
        extension.is_some_and(|e| (1..=4).contains(&e.len()) && e.chars().all(|c| c.is_ascii_lowercase()))
    });
    named
        .map(str::to_owned)
        .ok_or_else(|| "the goal names no file: set file, for example file = \"main.py\"".to_owned())
}

/// What the model is asked. `tests`: pairs of path and text; `failure`: why the last attempt was no good.
pub fn question(goal: &str, path: &str, tests: &[(String, String)], failure: Option<&str>) -> String {
    let show = |(test, text): &(String, String)| {
        format!("The tests in {test}, which stay as they are:\n```\n{text}```")
    };
    let mut parts: Vec<_> = tests.iter().map(show).collect();
    parts.push(format!("Goal: {goal}"));
    parts.extend(failure.map(|failure| format!("An earlier attempt failed: {failure}")));
    parts.push(format!(
        "Write the file {path}. Answer with its whole text, and nothing of the tests, in one Markdown code block."
    ));
    parts.join("\n\n")
}
