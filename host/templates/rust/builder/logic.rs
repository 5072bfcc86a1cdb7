use plugin::answer::code;
use plugin::{question, target};

#[test]
fn the_file_is_the_one_that_the_goal_or_a_setting_names() {
    let set = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
    assert_eq!(target("Write lib/slug.py with slugify(text).", &[]), Ok("lib/slug.py".to_owned()));
    assert_eq!(target("Write slug.py", &set("file", "other.py")), Ok("other.py".to_owned()));
    assert!(target("Make it work.", &[]).unwrap_err().contains("names no file"));
    assert!(target("Write slug.py", &set("fil", "x")).unwrap_err().contains("unknown setting fil"));
}

#[test]
fn the_model_sees_the_goal_the_tests_and_what_went_wrong() {
    let tests = [("test_a.py".to_owned(), "import a\n".to_owned())];
    let asked = question("Write a.py", "a.py", &tests, Some("no code"));
    for part in ["Goal: Write a.py", "import a", "no code", "the file a.py"] {
        assert!(asked.contains(part), "{part}");
    }
}

#[test]
fn an_answer_is_its_first_whole_code_block() {
    assert_eq!(code("Here:\n```python\nx = 1\n```\nDone."), Some("x = 1\n".to_owned()));
    assert_eq!(code("```\nx = 1\n"), None);
    assert_eq!(code("no code"), None);
}
