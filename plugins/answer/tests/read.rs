//! Answers, real and made up, and the edits they amount to.
#[path = "support/host.rs"]
mod host;

use answer::bindings::types::FinishReason;
use answer::bindings::workspace::Edit;
use answer::read::{Reading, Unusable, read};
use answer::scene::Scene;
use host::{completion, fake, task};

const SLUG_TEST: (&str, &str) =
    ("test_slug.py", "from slug import slugify\n\ndef test_a():\n    assert slugify('A') == 'a'\n");

fn slug() -> Scene {
    let mut host = fake(&[SLUG_TEST]).protecting(&["test_slug.py"]);
    Scene::survey(&mut host, &task("Write slugify", &["test_slug.py"]), &[]).expect("surveyed")
}

fn scene(files: &[(&str, &str)], goal: &str, tests: &[&str]) -> Scene {
    Scene::survey(&mut fake(files), &task(goal, tests), &[]).expect("surveyed")
}

fn files(reading: Result<Reading, Unusable>) -> Vec<(String, String)> {
    let edits = reading.expect("usable").edits.into_iter();
    edits
        .map(|edit| match edit {
            Edit::Whole(file) => (file.path, file.content),
            Edit::Replace(part) => (part.path, format!("{}=>{}", part.search, part.replace)),
            Edit::Remove(path) => (path, "removed".into()),
        })
        .collect()
}

fn answered(scene: &Scene, text: &str) -> Vec<(String, String)> {
    files(read(scene, &completion(text, FinishReason::Stop)))
}

fn paths(found: &[(String, String)]) -> Vec<&str> {
    found.iter().map(|(path, _)| path.as_str()).collect()
}

const CODE: &str = "def slugify(text):\n    return text.lower()\n";

#[test]
fn one_file_however_it_is_wrapped() {
    let fenced = format!("```python\n{CODE}```");
    for text in [
        fenced.clone(),
        format!(
            "Sure! Here it is:\n\n{fenced}\n\nIt lowers the text.\nUse it like this:\n```python\nprint(slugify('A'))\n```\n"
        ),
        format!("```\n{CODE}```"),
        format!("```javascript\n{CODE}```"),
        format!("~~~python\n{CODE}~~~"),
        format!("**slug.py**\n{fenced}"),
        format!("### `slug.py`\n\n{fenced}"),
        format!("```python slug.py\n{CODE}```"),
        format!("```python\n# slug.py\n{CODE}```"),
        format!("`/home/user/project/slug.py`:\n{fenced}"),
        format!("`../slug.py`:\n{fenced}"),
        format!("path/to/slug.py\n{fenced}"),
        format!("```python\n{CODE}"),
        format!("```python\n{}```", CODE.trim_end()),
        "1. Write the file:\n\n   ```python\n   def slugify(text):\n       return text.lower()\n   ```\n"
            .to_string(),
        CODE.to_string(),
        format!("Here is the function:\n\n{CODE}\nThis function lowers the text.\n"),
        format!("<think>Should it be ```python\nx\n```?</think>{fenced}<|im_end|>"),
        fenced.replace('\n', "\r\n"),
        format!("```python\nfrom slug import slugify\n{CODE}```"),
        format!("First try:\n```python\ndef slugify(t):\n    return t\n```\nBetter:\n{fenced}"),
        format!("{fenced}\nInstall:\n```bash\npip install x\n```\nOutput:\n```\na\n```"),
        format!(
            "{fenced}\nTests:\n```python\nimport slug\ndef test_b():\n    assert slug.slugify('B') == 'b'\n```"
        ),
    ] {
        assert_eq!(answered(&slug(), &text), [("slug.py".to_owned(), CODE.to_owned())], "{text}");
    }
}

#[test]
fn echoes_of_protected_files_are_dropped() {
    let echo = format!("test_slug.py\n```python\n{}```\n", SLUG_TEST.1);
    let reading =
        read(&slug(), &completion(&format!("{echo}slug.py\n```python\n{CODE}```"), FinishReason::Stop));
    assert!(
        reading.as_ref().is_ok_and(|reading| reading.notes.iter().any(|note| note.contains("test_slug.py")))
    );
    assert_eq!(files(reading), [("slug.py".to_owned(), CODE.to_owned())]);
    let unnamed = format!("```python\n{}```\n```python\n{CODE}```", SLUG_TEST.1);
    assert_eq!(answered(&slug(), &unnamed), [("slug.py".to_owned(), CODE.to_owned())]);
}

#[test]
fn what_can_not_be_used_says_why() {
    for (text, said) in [
        ("", "empty"),
        ("I can't do that.", "no code"),
        ("```bash\npip install slugify\n```", "no code"),
        ("```python test_slug.py\nx = 1\n```", "protected"),
        ("```python ../../etc/cron.py\nx = 1\n```", "outside the workspace"),
        ("slug.py\n<<<<<<< SEARCH\nx\n=======\n", "not finished"),
    ] {
        match read(&slug(), &completion(text, FinishReason::Stop)) {
            Err(Unusable::Wrong(why)) => assert!(why.contains(said), "{text}: {why}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    let two = scene(&[("a.py", "def f(): ...\n"), ("b.py", "def g(): ...\n")], "Repair it", &[]);
    let why = read(&two, &completion("```python\ndef h():\n    pass\n```", FinishReason::Stop));
    assert_eq!(why, Err(Unusable::Wrong("the answer does not say which file its code belongs to".into())));
    let same = scene(&[("a.py", "def f(): ...\n")], "Repair it", &[]);
    let why = read(&same, &completion("```python\ndef f(): ...\n```", FinishReason::Stop));
    assert!(matches!(why, Err(Unusable::Wrong(why)) if why.contains("changes nothing")));
}

#[test]
fn a_cut_answer_gives_only_its_whole_files() {
    let cut = |text: &str| read(&slug(), &completion(text, FinishReason::Length));
    for text in [
        "```python\ndef slugify(text):\n    return te",
        "def slugify(text):\n    return te",
        "Let me think about",
    ] {
        match cut(text) {
            Err(Unusable::Cut(why)) => assert!(why.contains("max_tokens") && why.contains("700"), "{why}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    let rambling = format!("```python\n{CODE}```\nAnother way:\n```python\ndef slugify(t):\n    ret");
    assert_eq!(files(cut(&rambling)), [("slug.py".to_owned(), CODE.to_owned())]);
    // The second file's end is missing: half an answer would be worse than none.
    assert!(matches!(
        cut(&format!("slug.py\n```python\n{CODE}```\nutil.py\n```python\ndef f(")),
        Err(Unusable::Cut(_))
    ));
}

#[test]
fn several_files_and_parts_of_one() {
    let test = ("test_m.py", "from store import Store\nfrom report import report, total\n");
    let two = scene(&[test], "Write it", &["test_m.py"]);
    let unnamed = "```python\nclass Store: ...\n```\nand\n```python\ndef report(): ...\n```\n```python\ndef total(): ...\n```";
    assert_eq!(
        answered(&two, unnamed),
        [
            ("store.py".to_owned(), "class Store: ...\n".to_owned()),
            ("report.py".to_owned(), "def report(): ...\n\ndef total(): ...\n".to_owned())
        ]
    );
    let nested =
        "README.md\n````md\n# Use\n```sh\nmake\n```\n````\nstore.py\n```python\nclass Store: ...\n```";
    assert_eq!(
        answered(&two, nested),
        [
            ("README.md".to_owned(), "# Use\n```sh\nmake\n```\n".to_owned()),
            ("store.py".to_owned(), "class Store: ...\n".to_owned())
        ]
    );
    let empty = scene(&[], "Write a function that sorts", &[]);
    assert_eq!(
        paths(&answered(&empty, "```js\nfunction sortAll(xs) { return xs.sort() }\n```")),
        ["sortall.js"]
    );
}

#[test]
fn search_replace_and_diffs_are_understood_whatever_was_asked() {
    let calc = scene(&[("src/calc.py", "x = 1\ny = 2\n")], "Fix it", &[]);
    let block = "<<<<<<< SEARCH\nx = 1\n=======\nx = 3\n>>>>>>> REPLACE";
    for text in
        [block.to_owned(), format!("src/calc.py\n```python\n{block}\n```"), format!("calc.py\n{block}")]
    {
        assert_eq!(
            answered(&calc, &text),
            [("src/calc.py".to_owned(), "x = 1\n=>x = 3\n".to_owned())],
            "{text}"
        );
    }
    let diff = "```diff\n--- a/src/calc.py\n+++ b/src/calc.py\n@@ -1,2 +1,2 @@\n-x = 1\n+x = 3\n y = 2\n```";
    assert_eq!(
        answered(&calc, diff),
        [("src/calc.py".to_owned(), "x = 1\ny = 2\n=>x = 3\ny = 2\n".to_owned())]
    );
}

#[test]
fn a_file_with_parts_left_out_is_refused_or_completed() {
    let js = scene(&[("a.js", "function f() {}\nfunction g() {}\n")], "Fix a.js", &[]);
    let text = "```js\n// ... existing code ...\nfunction g() { return 1 }\n```";
    assert!(
        matches!(read(&js, &completion(text, FinishReason::Stop)), Err(Unusable::Wrong(why)) if why.contains("complete file"))
    );
    let py = scene(&[("a.py", "def f():\n    return 1\n\ndef g():\n    return 2\n")], "Fix g in a.py", &[]);
    let text = "```python\n# ... existing code ...\ndef g():\n    return 3\n```";
    assert_eq!(
        answered(&py, text),
        [("a.py".to_owned(), "def f():\n    return 1\n\ndef g():\n    return 3\n".to_owned())]
    );
}

/// Answers of Qwen2.5-Coder-1.5B-Instruct (Q4_K_M), as they came.
#[test]
fn real_answers_of_a_small_model() {
    let found = answered(&slug(), include_str!("answers/one-file-name-in-comment.md"));
    assert_eq!(paths(&found), ["slug.py"]);
    assert!(
        found[0].1.starts_with("def slugify(text):") && found[0].1.ends_with("return slug\n"),
        "{}",
        found[0].1
    );

    let test = (
        "tests/test_inventory.py",
        "import pytest\nfrom store import Store, NotEnough\nfrom report import report\n",
    );
    let two = scene(&[test], "Make store.py and report.py", &["tests/test_inventory.py"]);
    let found = answered(&two, include_str!("answers/two-files-names-in-fences.md"));
    assert_eq!(paths(&found), ["store.py", "report.py"]);
    assert!(
        found[0].1.starts_with("class Store:") && found[1].1.starts_with("def report(store):"),
        "{found:?}"
    );

    let js = scene(&[], "Write a JavaScript module slug.js that exports slugify(text)", &[]);
    let tutorial = completion(include_str!("answers/tutorial-cut.md"), FinishReason::Length);
    assert!(paths(&files(read(&js, &tutorial))).contains(&"slug.js"));

    let calc = "def mean(values):\n    return sum(values) / len(values)\n\ndef median(values):\n    values.sort()\n    return values[len(values) // 2]\n";
    let fix = scene(&[("calc.py", calc)], "median is wrong", &[]);
    let found = answered(&fix, include_str!("answers/whole-file-for-search-replace.md"));
    assert_eq!(paths(&found), ["calc.py"]);

    let close = scene(
        &[],
        "from typing import List\n\ndef has_close(numbers: List[float], threshold: float) -> bool:\n",
        &[],
    );
    let found = answered(&close, include_str!("answers/prose-around.md"));
    assert_eq!(paths(&found), ["has_close.py"]);
    assert!(found[0].1.starts_with("from typing import List\n"), "{}", found[0].1);
}
