//! Asks the model and applies its answer; once more where the answer can't be applied.
use crate::bindings::types::{Completion, Level, Message, Request, Role, StepError, Task};
use crate::bindings::workspace::{ApplyError, Edit, Rejection};
use crate::host::Host;
use crate::prompt::{Prompt, tokens};
use crate::read::{self, Unusable};
use crate::scene::{self, Scene};
use crate::settings::Settings;

/// How much hotter an answer is sampled that is asked for again, and the most it is raised to: at the same temperature a
/// model mostly repeats itself.
const RAISE: f32 = 0.4;
const HOTTEST: f32 = 1.0;

/// Why an answer was not applied, by how to ask again.
enum Refused {
    /// Its changes don't fit the files: the model corrects them.
    Misfit(String),
    /// It holds nothing to correct. It is not shown again, since small models copy what they are shown.
    Useless(String),
    /// Asking again would end the same way.
    Cut(String),
}

/// Asks with `prompt` until an answer could be applied, and says what it changed.
///
/// # Errors
/// The model's own error; `unusable-answer` after `edit_retries` further answers, or where none would help.
pub fn ask(
    host: &mut impl Host,
    scene: &Scene,
    task: &Task,
    settings: &Settings,
    prompt: Prompt,
) -> Result<String, StepError> {
    let window = u64::from(host.limits().context_window);
    if !prompt.left_out.is_empty() {
        host.log(Level::Info, &format!("no room in the prompt for {}", prompt.left_out.join(", ")));
    }
    let mut messages = prompt.messages.clone();
    let mut temperature = task.temperature;
    let mut retries = settings.edit_retries;
    loop {
        let request = Request {
            messages: messages.clone(),
            temperature,
            max_tokens: Some(prompt.max_tokens),
            stop: Vec::new(),
            // Several vendors take no more than 31 bits.
            seed: Some((task.seed & 0x7fff_ffff).wrapping_add(u64::from(settings.edit_retries - retries))),
        };
        let completion = host.complete(&request).map_err(StepError::Model)?;
        let why = match apply(host, scene, &completion)? {
            Ok(summary) => return Ok(summary),
            Err(Refused::Cut(why)) => return Err(StepError::UnusableAnswer(why)),
            Err(Refused::Misfit(why)) => {
                messages.push(Message { role: Role::Assistant, content: completion.text });
                messages.push(Message {
                    role: Role::User,
                    content: format!(
                        "That can't be used: {why}\nAnswer again, with all of your changes, in the form asked for."
                    ),
                });
                why
            }
            Err(Refused::Useless(why)) => {
                messages.clone_from(&prompt.messages);
                if let Some(question) = messages.last_mut() {
                    question.content.push_str(&format!("\n\nAn earlier answer could not be used: {why}."));
                }
                temperature = temperature.map(|asked| asked.max((asked + RAISE).min(HOTTEST)));
                why
            }
        };
        let size: u64 = messages.iter().map(|message| tokens(&message.content)).sum();
        if retries == 0 || size + u64::from(prompt.max_tokens) > window {
            return Err(StepError::UnusableAnswer(why));
        }
        retries -= 1;
        host.log(Level::Warn, &format!("asking again: {why}"));
    }
}

fn apply(
    host: &mut impl Host,
    scene: &Scene,
    completion: &Completion,
) -> Result<Result<String, Refused>, StepError> {
    let reading = match read::read(scene, completion) {
        Ok(reading) => reading,
        Err(Unusable::Cut(why)) => return Ok(Err(Refused::Cut(why))),
        Err(Unusable::Wrong(why)) => return Ok(Err(Refused::Useless(why))),
    };
    for note in &reading.notes {
        host.log(Level::Info, note);
    }
    match host.apply(&reading.edits) {
        Ok(()) => Ok(Ok(summary(scene, &reading.edits))),
        Err(ApplyError::Rejected(rejections)) => Ok(Err(Refused::Misfit(explain(&rejections)))),
        Err(ApplyError::Workspace(error)) => Err(scene::step_error(error)),
    }
}

fn explain(rejections: &[Rejection]) -> String {
    let one = |rejection: &Rejection| {
        let nearest = match rejection.nearest.trim_end() {
            "" => String::new(),
            lines => format!("\nThe most similar lines of the file are:\n{lines}"),
        };
        format!("change {} of {}: {}{nearest}", rejection.index + 1, rejection.path, rejection.reason)
    };
    rejections.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn summary(scene: &Scene, edits: &[Edit]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for edit in edits {
        let part = match edit {
            Edit::Whole(file) if scene.entry(&file.path).is_some() => format!("rewrote {}", file.path),
            Edit::Whole(file) => format!("wrote {}", file.path),
            Edit::Replace(replacement) => format!("changed {}", replacement.path),
            Edit::Remove(path) => format!("removed {path}"),
        };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts.join(", ")
}
