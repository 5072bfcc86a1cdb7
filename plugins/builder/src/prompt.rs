//! What the model is told.
use answer::bindings::types::{Attempt, AttemptKind};
use answer::prompt::Draft;
use answer::question;
use answer::scene::Scene;
use answer::settings::Settings;

pub(crate) fn draft(scene: &Scene, settings: &Settings, attempts: &[Attempt]) -> Draft {
    let mut draft = question::draft(scene, settings, true);
    if let Some(hint) = hint(attempts) {
        draft.closing.push_str(&format!(
            "\n\nAn earlier attempt failed; take care of this: {hint}\nTake a different approach."
        ));
    }
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
