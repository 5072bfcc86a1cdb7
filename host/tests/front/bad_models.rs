//! Models that don't do what they should: each ends its task with a reason that says what and where.

use futures_util::future::join_all;
use serde_json::json;

use crate::fake_model::{FakeModel, Reply};
use crate::sample;
use crate::test_host::Setup;

struct Case {
    name: &'static str,
    replies: Vec<Reply>,
    /// The end of what `run` says.
    said: &'static str,
}

fn cases() -> Vec<Case> {
    let error = |status: u16, headers: &'static str, message: &str, kind: &str| {
        let body = json!({ "error": { "message": message, "type": kind, "code": kind } });
        Reply::Sends(status, headers, body.to_string())
    };
    let twice = |reply: Reply| vec![reply.clone(), reply];
    vec![
        Case {
            name: "401",
            replies: vec![error(401, "", "Incorrect API key provided", "invalid_api_key")],
            said: "the key was not accepted: HTTP 401: Incorrect API key provided",
        },
        Case {
            name: "429 with retry-after",
            replies: twice(error(429, "retry-after: 1\r\n", "Slow down", "rate_limit_exceeded")),
            said: "rate limited; it asks to wait 1.0 s",
        },
        Case {
            name: "500",
            replies: twice(error(500, "", "boom", "server_error")),
            said: "the model's server is overloaded or down",
        },
        Case {
            name: "garbage",
            replies: twice(Reply::Sends(200, "", "<html>hello</html>".into())),
            said: "the model's answer can't be understood: HTTP 200: neither JSON nor an event stream; it begins: <html>hello</html>",
        },
        Case {
            name: "nothing",
            replies: twice(Reply::Closes),
            said: "the model can't be reached: URL: the connection was closed before an answer came",
        },
        Case {
            name: "silence",
            replies: twice(Reply::Silent),
            said: "no answer in time: no first byte within 1 s ([models.default] first_byte_timeout_s)",
        },
        Case {
            name: "half a stream",
            replies: twice(Reply::Half(sample::RIGHT.to_owned())),
            said: "the model's answer can't be understood: the answer broke off: error decoding response body: error reading a body from connection: unexpected EOF during chunk size line",
        },
        Case {
            name: "a stream that stalls",
            replies: twice(Reply::HalfHeld(sample::RIGHT.to_owned())),
            said: "no answer in time: 643 bytes of an answer, then none for 1 s ([models.default] idle_timeout_s)",
        },
        Case {
            name: "a context that is too long",
            replies: vec![error(
                400,
                "",
                "This model's maximum context length is 8192 tokens. However, you requested 9046 tokens",
                "context_length_exceeded",
            )],
            said: "the prompt is longer than the model's context: HTTP 400: This model's maximum context length is 8192 tokens. However, you requested 9046 tokens",
        },
    ]
}

#[tokio::test]
async fn each_ends_the_task_with_what_went_wrong() {
    let said = join_all(cases().into_iter().map(async |case| {
        let model = FakeModel::start(case.replies.clone()).await;
        let setup = Setup::with_model(&model)
            .set("models.default.retries", 1)
            .set("models.default.first_byte_timeout_s", 1)
            .set("models.default.idle_timeout_s", 1);
        let said = setup.run(["run", sample::GOAL]).await;
        assert_eq!((said.code, said.out.as_str()), (3, ""), "{}: {}", case.name, said.err);
        assert_eq!(model.asked().len(), case.replies.len(), "{}: {}", case.name, said.err);
        let said = said.err.replace(model.url().trim_end_matches("/v1"), "URL");
        let end = said.lines().last().and_then(|line| line.split(" (0 rounds").next()).unwrap_or_default();
        eprintln!("{}: {end}", case.name);
        (case.name, end.to_owned(), format!("■ the model can't be used: {}", case.said))
    }))
    .await;
    let wrong: Vec<_> = said.iter().filter(|(_, said, wanted)| said != wanted).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A prompt that can't fit is not sent at all.
#[tokio::test]
async fn a_goal_longer_than_the_context_is_not_asked() {
    let model = FakeModel::start([]).await;
    let setup = Setup::with_model(&model).set("models.default.context_window", 2000);
    let said = setup.run_with(["run", "-"], "words ".repeat(10_000).as_bytes()).await;
    assert_eq!((said.code, said.out.as_str()), (3, ""), "{}", said.err);
    let end = "■ the model can't be used: the prompt is longer than the model's context: the goal, its tests and the files to change need about ";
    assert!(said.err.lines().last().is_some_and(|line| line.starts_with(end)), "{}", said.err);
    assert!(model.asked().is_empty());
}
