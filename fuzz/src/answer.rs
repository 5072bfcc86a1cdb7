use answer::bindings::types::{Completion, FinishReason, Usage};
use answer::bindings::workspace::{Edit, Entry};
use answer::read::{Unusable, read};
use answer::scene::{Scene, Wanted};

/// Files that a task may not change.
const PROTECTED: &str = "tests/test_slug.py";

/// The first byte says how the answer ended, the rest is its text. No answer makes an edit of a protected
/// file, whatever it calls it, or one without a path.
///
/// # Panics
/// Where one does.
pub fn answer(data: &[u8]) {
    let [finish, text @ ..] = data else { return };
    let text = String::from_utf8_lossy(text).into_owned();
    let finish = if finish % 2 == 0 { FinishReason::Stop } else { FinishReason::Length };
    let usage = Usage { input_tokens: 1, output_tokens: 1 };
    let completion = Completion { text, finish, usage, model: "m".into() };
    match read(&scene(), &completion) {
        Ok(reading) => {
            for edit in &reading.edits {
                let path = path(edit);
                assert!(!path.is_empty() && path != PROTECTED, "{path:?} of {:?}", completion.text);
            }
        }
        Err(Unusable::Cut(why) | Unusable::Wrong(why)) => assert!(!why.is_empty()),
    }
}

fn path(edit: &Edit) -> &str {
    match edit {
        Edit::Whole(file) => &file.path,
        Edit::Replace(part) => &part.path,
        Edit::Remove(path) => path,
    }
}

fn scene() -> Scene {
    let entry = |path: &str, protected| Entry { path: path.into(), size: 40, text: true, protected };
    let text = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    Scene {
        goal: "Write slug.py with slugify(text), and fix lib/words.js".into(),
        goal_code: String::new(),
        entries: vec![entry("lib/words.js", false), entry("README.md", false), entry(PROTECTED, true)],
        tests: vec![PROTECTED.into()],
        protected: vec![PROTECTED.into()],
        texts: [
            text(PROTECTED, "from slug import slugify\n\ndef test_a():\n    assert slugify('A') == 'a'\n"),
            text("lib/words.js", "export function words(text) {\n  return text.split(' ');\n}\n"),
        ]
        .into(),
        wanted: vec![Wanted { path: "slug.py".into(), symbols: vec!["slugify".into()] }],
        shown: vec!["lib/words.js".into()],
    }
}
