//! What a model is told when code is to be written.
use crate::prompt::{Draft, Section, form, overview};
use crate::scene::Scene;
use crate::settings::{Format, Settings};

/// The question for code that is not there yet, or for changing what is. The fixer asks it again where
/// repairing does not help, with `with_code` off: a small model copies the code it is shown, mistake included.
pub fn draft(scene: &Scene, settings: &Settings, with_code: bool) -> Draft {
    let one = scene.wanted.len() == 1 && settings.format == Format::Whole;
    let system = if one {
        "You are an expert programmer. You answer with the complete content of the file you are asked for, in one \
         fenced code block, and nothing else."
    } else {
        "You are an expert programmer. You answer with the code you are asked for, in exactly the form you are \
         asked for, and nothing else."
    };
    let opening = scene.goal.trim().to_owned();
    let mut draft = Draft { system: system.into(), opening, ..Draft::default() };
    for path in &scene.tests {
        if let Some(text) = scene.text(path) {
            let title = format!("It must pass these tests (`{path}`):\n");
            draft.must.push(Section::file(&title, path, text));
        }
    }
    for wanted in scene.wanted.iter().filter(|_| with_code) {
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
