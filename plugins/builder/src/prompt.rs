//! What the model is told.
use answer::bindings::types::{Attempt, AttemptKind};
use answer::prompt::{Draft, Section, form, overview};
use answer::scene::Scene;
use answer::settings::{Format, Settings};

pub(crate) fn draft(scene: &Scene, settings: &Settings, attempts: &[Attempt]) -> Draft {
    let one = scene.wanted.len() == 1 && settings.format == Format::Whole;
    let system = if one {
        "You are an expert programmer. You answer with the complete content of the file you are asked for, in one \
         fenced code block, and nothing else."
    } else {
        "You are an expert programmer. You answer with the code you are asked for, in exactly the form you are \
         asked for, and nothing else."
    };
    let mut opening = scene.goal.trim().to_owned();
    if let Some(hint) = hint(attempts) {
        opening.push_str(&format!("\n\nAn earlier try went wrong: {hint}\nStart afresh, in another way."));
    }
    let mut draft = Draft { system: system.into(), opening, ..Draft::default() };
    for path in &scene.tests {
        if let Some(text) = scene.text(path) {
            let title = format!("It must pass these tests (`{path}`):\n");
            draft.must.push(Section::file(&title, path, text));
        }
    }
    for wanted in &scene.wanted {
        if let Some(text) = scene.text(&wanted.path) {
            let title = format!("This is `{}` as it is now:\n", wanted.path);
            draft.must.push(Section::file(&title, &wanted.path, text));
        }
    }
    draft.may.extend(overview(scene));
    for path in &scene.shown {
        if let Some(text) = scene.text(path) {
            draft.may.push(Section::file(&format!("For your information, `{path}`:\n"), path, text));
        }
    }
    draft.closing = form(scene, settings.format);
    draft
}

/// What the last attempt leaves to say: a fixer's hint to build afresh, or why an answer could not be used.
/// What a check found in earlier candidates is left out on purpose: a small model copies what it is shown,
/// and a fresh sample is worth more.
fn hint(attempts: &[Attempt]) -> Option<String> {
    let last = attempts.last()?;
    let hint = match (last.kind, &last.failure) {
        (_, Some(failure)) => failure,
        (AttemptKind::Fix, None) if last.diff.is_empty() && last.report.is_none() => &last.summary,
        _ => return None,
    };
    Some(hint.trim().to_owned()).filter(|hint| !hint.is_empty())
}
