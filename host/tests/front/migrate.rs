//! A store of each schema that was released is brought to this version's, and its tasks go on.
//!
//! `fixtures/store/schema-N.sql` is a dump of a store that a host of that schema left: a task that ended
//! green, and one that waits.

use aiagent_host::store::SqliteStore;
use rusqlite::Connection;
use serde_json::json;

use crate::fake_model::{FakeModel, Reply};
use crate::test_host::{Setup, json as answer, text};

const RELEASED: [&str; 2] =
    [include_str!("../fixtures/store/schema-1.sql"), include_str!("../fixtures/store/schema-2.sql")];

const ENDED: &str = "01M89PVVJM6ZQT5PHM7YCNN54C";
const WAITING: &str = "01M89PVXMFQ01Z9NP22WS87MVQ";

/// For the task that waits.
const LUHN: &str = "\
```python
# luhn.py
def valid(number):
    text = str(number).replace(' ', '')
    if not text.isdigit() or len(text) < 2:
        return False
    total = 0
    for place, digit in enumerate(reversed(text)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
```
";

/// A setup whose state folder an older host has left.
fn left(setup: Setup, dump: &str) -> Setup {
    let store = setup.file("state/tasks.db", "");
    Connection::open(store).expect("opens").execute_batch(dump).expect("a whole dump");
    setup
}

#[tokio::test]
async fn a_store_of_each_released_schema_comes_forward_and_its_tasks_go_on() {
    let known = SqliteStore::KNOWN_SCHEMA;
    for (schema, dump) in (1..).zip(RELEASED) {
        let model = FakeModel::start([Reply::says(LUHN)]).await;
        let setup = left(Setup::with_model(&model), dump);
        let store = setup.path("state/tasks.db");
        let older = schema < known;
        let said = setup.run(["migrate", "--check"]).await;
        assert_eq!(said.code, i32::from(older), "{}{}", said.out, said.err);
        assert_eq!(SqliteStore::schema(&store).expect("it can be read"), schema, "--check changes nothing");
        let said = setup.run(["migrate"]).await;
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(said.out.contains(&format!("schema {schema} → {known}")), older, "{}", said.out);
        let kept = setup.path(&format!("state/tasks.db.schema-{schema}"));
        assert_eq!(kept.exists(), older);
        if older {
            assert_eq!(SqliteStore::schema(&kept).expect("it can be read"), schema);
            let same = SqliteStore::holds_tasks(&kept).expect("it can be read");
            assert!(same, "the copy holds what was there");
        }

        let host = setup.start().await;
        let found = async |filter: &str| {
            let (_, page) = answer(host.get(&format!("/api/v1/tasks?{filter}"))).await;
            let tasks = page["tasks"].as_array().cloned().unwrap_or_default();
            tasks.iter().map(|task| task["id"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found("outcome=green&plugin=fixer").await, [ENDED]);
        assert_eq!(found("model=default&plugin=check-python").await, [WAITING, ENDED]);
        let ended = host.task(ENDED).await;
        assert_eq!(ended["outcome"]["reason"], json!({ "kind": "green" }), "{ended:#}");
        let (_, diff) = text(host.get(&format!("/api/v1/tasks/{ENDED}/diff"))).await;
        assert!(diff.contains("+++ b/slug.py"), "{diff}");
        let waited = host.ended(WAITING).await;
        assert_eq!(waited["outcome"]["reason"], json!({ "kind": "green" }), "{waited:#}");
        let (status, page) = answer(host.get("/api/v1/tasks")).await;
        assert_eq!((status.as_u16(), page["tasks"].as_array().map(Vec::len)), (200, Some(2)));
        assert_eq!(SqliteStore::examine(&store).expect("it can be read"), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_left_alone() {
    let setup = left(Setup::new(), RELEASED[0]);
    let store = setup.path("state/tasks.db");
    Connection::open(&store).expect("opens").pragma_update(None, "user_version", 99).expect("ours");
    let before = std::fs::read(&store).expect("there");
    for (command, code) in [("migrate", 1), ("serve", 2), ("backup", 1)] {
        let file = (command == "backup").then_some("b.tar.gz");
        let said = setup.run([command].into_iter().chain(file)).await;
        assert_eq!(said.code, code, "{}", said.err);
        let why = format!(
            "has schema 99, written by a newer aiagent-host; this one knows schemas up to {}",
            SqliteStore::KNOWN_SCHEMA
        );
        assert!(said.err.contains(&why), "{}", said.err);
        assert_eq!(std::fs::read(&store).expect("there"), before, "{command}");
    }
}
