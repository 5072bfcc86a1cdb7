//! Commands that talk to a server.

use serde_json::{Value, json};

use crate::fake_model::{FakeModel, Reply};
use crate::sample;
use crate::steady::{steady, without_times};
use crate::test_host::{Said, Setup, TestHost};

/// The program as a client of that host.
async fn client(setup: &Setup, host: &TestHost, args: &[&str]) -> Said {
    setup.run(args.iter().copied().chain(["--server", &host.url])).await
}

#[tokio::test]
async fn a_task_from_submit_to_show() {
    let model = FakeModel::start([Reply::says(sample::WRONG), Reply::says(sample::RIGHT)]).await;
    let setup = Setup::with_model(&model);
    let host = setup.start().await;
    setup.file("test_add.py", sample::TEST);
    let said = client(&setup, &host, &["submit", sample::GOAL, "--tests", "test_add.py", "--follow"]).await;
    assert_eq!((said.code, said.out.as_str()), (0, sample::DIFF), "{}", said.err);
    let (first, rest) = said.err.split_once('\n').expect("lines");
    let id = first.strip_prefix("task ").expect("the id").to_owned();
    let story = "\
▶ build builder (round 1)
  model: 100 tokens in, 20 out, TIME
  wrote add.py
▶ check check-python (round 1)
  ✗ 0 passed, 1 failed
    test_add.py:7: test_add.TestAdd.test_sum: AssertionError: -1 != 5
▶ fix   fixer (round 2)
  model: 100 tokens in, 20 out, TIME
  rewrote add.py
▶ check check-python (round 2)
  ✓ 1 passed, 0 failed
■ green: every check passed (2 rounds, 240 tokens, TIME)
";
    assert_eq!(without_times(rest), story);

    let said = client(&setup, &host, &["events", &id]).await;
    assert_eq!((said.code, without_times(&said.err).as_str()), (0, story));
    let said = client(&setup, &host, &["events", &id, "--json"]).await;
    let ids: Vec<u64> = said
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["id"].as_u64().expect("a number"))
        .collect();
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
    let last = ids.len().to_string();
    let said = client(&setup, &host, &["events", &id, "--after", &last]).await;
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, "", ""), "nothing comes after the end");

    let said = client(&setup, &host, &["show", &id]).await;
    let end = "round 1 build: wrote add.py → 0 passed, 1 failed\nround 2 fix: rewrote add.py → 1 passed, 0 failed\ngreen: every check passed (240 tokens, TIME)\n";
    assert_eq!(without_times(&said.out), format!("{id}\ngoal: {}\n{end}{}", sample::GOAL, sample::DIFF));
    let said = client(&setup, &host, &["show", &id, "--diff"]).await;
    assert_eq!(said.out, sample::DIFF);
    let said = client(&setup, &host, &["show", &id, "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&said.out).expect("JSON"), host.task(&id).await);
    let said = client(&setup, &host, &["tasks"]).await;
    assert_eq!(
        (said.out, said.err.as_str()),
        (format!("{id}  green          default    {}\n", sample::GOAL), "")
    );
    let said = client(&setup, &host, &["cancel", &id]).await;
    assert_eq!((said.code, said.out.as_str()), (0, "it had already ended\n"));
}

#[tokio::test]
async fn cancel_ends_what_is_followed() {
    let model = FakeModel::start([Reply::Silent]).await;
    let setup = Setup::with_model(&model).set("worker.tasks", 1);
    let host = setup.start().await;
    let submitted = client(&setup, &host, &["submit", sample::GOAL, "--idempotency-key", "k"]).await;
    let id = submitted.out.trim().to_owned();
    model.until_asked(1).await;
    let again = client(&setup, &host, &["submit", sample::GOAL, "--idempotency-key", "k", "--json"]).await;
    let accepted: Value = serde_json::from_str(&again.out).expect("JSON");
    assert_eq!(accepted["id"], json!(id));

    let waiting = client(&setup, &host, &["submit", sample::GOAL]).await;
    let said = client(&setup, &host, &["cancel", waiting.out.trim()]).await;
    assert_eq!((said.code, said.out.as_str()), (0, "ended: it was still waiting\n"));

    let (follow, cancel) = (["events", &id], ["cancel", &id]);
    let (followed, said) = tokio::join!(client(&setup, &host, &follow), client(&setup, &host, &cancel));
    assert_eq!((said.code, said.out.as_str()), (0, "it is running and will stop\n"));
    assert_eq!(followed.code, 1);
    assert!(followed.err.contains("\n■ cancelled ("), "{}", followed.err);
    let said = client(&setup, &host, &["tasks", "--json", "--state", "ended", "--limit", "1"]).await;
    let page: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(steady(page["tasks"][0]["reason"].clone()), json!({ "kind": "cancelled" }));
}

#[tokio::test]
async fn what_a_client_gets_wrong_is_said() {
    let setup = Setup::new().set("token", "secret");
    let host = setup.start().await;
    let unknown = "01J9Z3NDEKTSV4RRFFQ69G5FAV";
    for (args, code, said) in [
        (&["show", "1"][..], 2, "error: \"1\" is not a task id: expected 26 letters and digits, such as 01J9Z3NDEKTSV4RRFFQ69G5FAV (HTTP 404)\n".to_owned()),
        (&["show", unknown], 2, format!("error: no task {unknown} (HTTP 404)\n")),
        (&["events", unknown], 2, format!("error: no task {unknown} (HTTP 404)\n")),
        (&["cancel", unknown], 2, format!("error: no task {unknown} (HTTP 404)\n")),
        (&["tasks", "--limit", "0"], 2, "error: limit is 0; use 1 to 200 (HTTP 400)\n".to_owned()),
        (&["submit", ""], 2, "error: the goal is empty: say what is to be done (HTTP 422)\n".to_owned()),
        (&["submit", "x", "--pipeline", "quick"], 2, "error: there is no pipeline \"quick\"; configured are: default (HTTP 422)\n".to_owned()),
    ] {
        let answer = client(&setup, &host, args).await;
        assert_eq!((answer.code, answer.err), (code, said), "{args:?}");
    }
    let stranger = Setup::new();
    let answer = client(&stranger, &host, &["tasks"]).await;
    assert_eq!(
        (answer.code, answer.err.as_str()),
        (2, "error: send the token as `Authorization: Bearer TOKEN` (HTTP 401)\n")
    );
    let url = host.url.clone();
    drop(host);
    let answer = stranger.run(["tasks", "--server", &url]).await;
    assert_eq!(answer.code, 1);
    let start =
        format!("error: can't reach {url}: is the server running? name it with --server or AIAGENT_SERVER: ");
    assert!(answer.err.starts_with(&start), "{}", answer.err);
}
