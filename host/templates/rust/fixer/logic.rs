use plugin::answer::code;
use plugin::{question, suspect};

#[test]
fn the_suspect_is_a_file_that_may_be_changed() {
    let ours = ["a.py", "b.py"];
    assert_eq!(suspect(Some("b.py"), "", &ours), Some("b.py"));
    assert_eq!(suspect(Some("test_b.py"), "in b.py, line 2", &ours), Some("b.py"));
    assert_eq!(suspect(None, "wrong", &ours), Some("a.py"));
    assert_eq!(suspect(None, "wrong", &[]), None);
}

#[test]
fn the_model_sees_goal_file_and_message() {
    let asked = question("Make it work", "a.py", "x = 1\n", "1 != 2");
    for part in ["Make it work", "a.py", "x = 1", "1 != 2"] {
        assert!(asked.contains(part), "{part}");
    }
}

#[test]
fn an_answer_is_its_first_whole_code_block() {
    assert_eq!(code("Here:\n```python\nx = 1\n```\nDone."), Some("x = 1\n".to_owned()));
    assert_eq!(code("```\nx = 1\n"), None);
    assert_eq!(code("no code"), None);
}
