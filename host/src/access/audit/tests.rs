use std::fs::OpenOptions;
use std::io::Write as _;

use super::*;

fn deed(subject: impl Into<String>) -> Deed {
    let who = Who { name: "ann".to_owned(), role: Role::Submitter };
    Deed::new(Some(&who), "10.0.0.1".parse().ok(), What::Submitted, subject)
}

fn all(audit: &Audit, limit: usize) -> Vec<String> {
    let (mut subjects, mut cursor) = (Vec::new(), None);
    loop {
        let page = audit.page(cursor.as_deref(), limit).expect("readable");
        assert!(page.entries.len() <= limit);
        subjects.extend(page.entries.into_iter().map(|entry| entry.deed.subject));
        cursor = page.next;
        if cursor.is_none() {
            return subjects;
        }
    }
}

#[tokio::test]
async fn pages_are_newest_first_over_all_files_and_no_entry_is_missed() {
    let dir = tempfile::tempdir().expect("a folder");
    let audit = Audit::open(Some(dir.path().join("audit"))).expect("opened");
    assert_eq!(audit.page(None, 10).expect("empty").entries, []);
    // Two of these fill a file.
    let long = "x".repeat(file::FULL as usize / 2);
    for number in 0..7 {
        let long = if number % 2 == 0 { long.as_str() } else { "" };
        audit.record(Deed { detail: Some(long.to_owned()), ..deed(number.to_string()) }).await;
    }
    let wanted = ["6", "5", "4", "3", "2", "1", "0"];
    for limit in [1, 2, 3, 7, 8] {
        assert_eq!(all(&audit, limit), wanted, "{limit} a page");
    }
    let first = audit.page(None, 1).expect("readable");
    audit.record(deed("7")).await;
    let second = audit.page(first.next.as_deref(), 1).expect("readable");
    assert_eq!(second.entries[0].deed.subject, "5", "what comes meanwhile moves nothing");
    let kept = std::fs::read_dir(dir.path().join("audit")).expect("a folder").count();
    assert_eq!(kept, 4, "three files and the lock");
    assert!(matches!(audit.page(Some("x"), 1), Err(AuditError::Cursor(_))));
}

#[tokio::test]
async fn a_torn_line_costs_itself_only() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join(FOLDER);
    append(dir.path(), &deed("before")).expect("written");
    let mut file = OpenOptions::new().append(true).open(path.join("1.jsonl")).expect("there");
    file.write_all(b"{\"at\":1,\"who\"").expect("written");
    let audit = Audit::open(Some(path)).expect("opened");
    audit.record(deed("<script>\n\u{202e}\0")).await;
    assert_eq!(all(&audit, 10), ["<script>\n\u{202e}\0", "before"]);
}

#[tokio::test]
async fn the_oldest_file_goes_when_there_are_too_many() {
    let dir = tempfile::tempdir().expect("a folder");
    for number in 1..=file::FILES {
        let full = "x".repeat(file::FULL as usize);
        let path = dir.path().join(format!("{number}.jsonl"));
        let made = if number == file::FILES { full } else { String::new() };
        std::fs::write(path, made).expect("writable");
    }
    let audit = Audit::open(Some(dir.path().to_owned())).expect("opened");
    audit.record(deed("new")).await;
    let there = |number: usize| dir.path().join(format!("{number}.jsonl")).exists();
    assert!(!there(1) && there(2) && there(file::FILES + 1));
}
