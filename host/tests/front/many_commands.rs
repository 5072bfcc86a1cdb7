//! Commands that look for tasks and do the same to many.

use serde_json::{Value, json};

use crate::test_host::{Said, Setup, TestHost, json};

async fn client(setup: &Setup, host: &TestHost, args: &[&str]) -> Said {
    setup.run(args.iter().copied().chain(["--server", &host.url])).await
}

/// A host that works on nothing, with these tasks.
async fn waiting(goals: &[&str]) -> (Setup, TestHost, Vec<String>) {
    let setup = Setup::new().set("role", "dashboard").set("pipelines.other.max_rounds", 2);
    let host = setup.start().await;
    let mut ids = Vec::new();
    for goal in goals {
        let files = json!([{ "path": "a.txt", "content": goal }]);
        ids.push(host.submit(&json!({ "goal": goal, "files": files })).await);
    }
    (setup, host, ids)
}

fn said(said: &Said) -> (i32, &str, &str) {
    (said.code, &said.out, &said.err)
}

#[tokio::test]
async fn a_filter_counts_first_and_acts_when_told() {
    let (setup, host, ids) = waiting(&["Pick apples", "Pick pears", "Sort apples"]).await;
    let run = async |args: &[&str]| client(&setup, &host, args).await;
    assert_eq!(said(&run(&["task", "count"]).await), (0, "3 tasks\n", ""));
    assert_eq!(
        said(&run(&["task", "count", "--text", "sort", "--state", "queued"]).await),
        (0, "1 task\n", "")
    );
    let counted = run(&["task", "count", "--plugin", "builder", "--newer-than", "1d", "--json"]).await;
    assert_eq!(said(&counted), (0, "{\"count\":3,\"exact\":true}\n", ""));
    let none = (1, "", "2 tasks match: nothing is done without --yes\n");
    assert_eq!(said(&run(&["task", "cancel", "--text", "apples"]).await), none);
    assert_eq!(said(&run(&["task", "count", "--state", "ended"]).await), (0, "0 tasks\n", ""));
    let cancelled = run(&["task", "cancel", "--text", "apples", "--yes"]).await;
    assert_eq!(said(&cancelled), (0, "cancelled: 2 of 2\n", ""));
    let listed = run(&["tasks", "--outcome", "cancelled", "--limit", "1"]).await;
    let (line, next) =
        (format!("{}  cancelled      default    Sort apples\n", ids[2]), listed.err.trim_end());
    assert_eq!((listed.code, &listed.out), (0, &line));
    let next = next.rsplit(' ').next().expect("an id");
    let listed = run(&["tasks", "--outcome", "cancelled", "--after", next]).await;
    assert_eq!(
        said(&listed),
        (0, format!("{}  cancelled      default    Pick apples\n", ids[0]).as_str(), "")
    );

    assert_eq!(said(&run(&["task", "requeue", &ids[0], &ids[2]]).await), (0, "requeued: 2 of 2\n", ""));
    assert_eq!(said(&run(&["task", "cancel", &ids[0]]).await), (0, "cancelled: 1 of 1\n", ""));
    assert_eq!(
        said(&run(&["task", "again", "--text", "pears", "--yes"]).await),
        (0, "run again: 1 of 1\n", "")
    );
    assert_eq!(said(&run(&["task", "count", "--parent", &ids[1]]).await), (0, "1 task\n", ""));
    assert_eq!(
        said(&run(&["task", "delete", "--older-than", "1h", "--yes"]).await),
        (0, "deleted: 0 of 0\n", "no task matches\n")
    );
    let why = format!("{0}: task {0} has not ended; cancel it, and delete it once it has ended\n", ids[1]);
    let deleted = run(&["task", "delete", &ids[0], &ids[1]]).await;
    assert_eq!(said(&deleted), (1, "deleted: 1 of 2\n", why.as_str()));
    assert_eq!(said(&run(&["task", "cancel", "--all", "--yes", "--json"]).await).0, 0);
    let deleted = run(&["task", "delete", "--all", "--yes", "--json"]).await;
    assert_eq!(said(&deleted), (0, "{\"done\":3,\"matched\":3,\"refused\":[]}\n", ""));
    assert_eq!(said(&run(&["task", "count"]).await), (0, "0 tasks\n", ""));
}

#[tokio::test]
async fn one_task_runs_again_changed_and_its_files_are_taken() {
    let (setup, host, ids) = waiting(&["Pick apples"]).await;
    let run = async |args: &[&str]| client(&setup, &host, args).await;
    let args =
        ["task", "again", &ids[0], "--goal", "Pick plums", "--with-pipeline", "other", "--rounds", "1"];
    let again = run(&[&args[..], &["--fixer", "", "--protect", "docs/**"]].concat()).await;
    assert_eq!(again.code, 0, "{}", again.err);
    let task = host.task(again.out.trim()).await;
    let spec = &task["spec"];
    assert_eq!((&spec["goal"], &spec["pipeline"]["name"]), (&json!("Pick plums"), &json!("other")));
    assert_eq!(spec["changes"], json!({ "steps": { "fixer": "" }, "protected": ["docs/**"] }));
    assert_eq!((&spec["parent"], &spec["budget"]["rounds"]), (&json!(ids[0]), &json!(1)));

    assert_eq!(said(&run(&["task", "diff", &ids[0], "--round", "0"]).await), (0, "", ""));
    let other =
        host.submit(&json!({ "goal": "x", "files": [{ "path": "a.txt", "content": "Pick pears" }] })).await;
    let differ = run(&["task", "diff", &ids[0], "--with", &other]).await;
    assert!(differ.code == 0 && differ.out.contains("-Pick pears"), "{} {}", differ.out, differ.err);
    let packed = run(&["task", "archive", &ids[0], "--to", "a.tar.gz"]).await;
    assert_eq!(packed.code, 0, "{}", packed.err);
    let bytes = std::fs::read(setup.path("a.tar.gz")).expect("it was written");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..]));
    let mut entry = archive.entries().expect("an archive").next().expect("a file").expect("whole");
    assert_eq!(std::io::read_to_string(&mut entry).expect("text"), "Pick apples");
    let again = run(&["task", "archive", &ids[0], "--to", "a.tar.gz"]).await;
    assert!(again.code == 1 && again.err.contains("can't write a.tar.gz: File exists"), "{}", again.err);
    assert_eq!(said(&run(&["task", "journal", &ids[0]]).await), (0, "", ""));
    let (_, page) = json(host.get("/api/v1/tasks")).await;
    assert_eq!(page["tasks"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn what_is_not_said_is_not_done() {
    let (setup, host, ids) = waiting(&["Pick apples"]).await;
    let unknown = "01J9Z3NDEKTSV4RRFFQ69G5FAV";
    let cases: [(&[&str], i32, String); 8] = [
        (
            &["task", "delete", "--yes"],
            2,
            "error: which tasks? name their ids, or give a filter such as --state ended --older-than 30d; --all is for all\n".to_owned(),
        ),
        (
            &["task", "again", "--all", "--yes", "--rounds", "3"],
            2,
            "error: tasks that a filter finds run again as they were: name by its id what is to be changed\n".to_owned(),
        ),
        (&["task", "cancel", &ids[0], "--text", "x"], 2, "cannot be used with".to_owned()),
        (&["task", "cancel", "--all", "--state", "queued"], 2, "cannot be used with".to_owned()),
        (&["task", "delete", "--older-than", "1w"], 2, "say it in days, hours or minutes, such as 30d".to_owned()),
        (&["task", "count", "--state", "lost"], 2, "(HTTP 400)\n".to_owned()),
        (&["task", "delete", unknown], 1, format!("{unknown}: no task {unknown}\n")),
        (&["task", "diff", &ids[0], "--round", "7"], 2, "error: round 7 left no tree (HTTP 404)\n".to_owned()),
    ];
    for (args, code, why) in cases {
        let answer = client(&setup, &host, args).await;
        assert!(answer.code == code && answer.err.contains(&why), "{args:?}: {} {}", answer.code, answer.err);
    }
    let task: Value = host.task(&ids[0]).await;
    assert_eq!(task["state"], "queued");
}
