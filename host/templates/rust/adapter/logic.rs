use plugin::{Answer, Failure, Finished, body};
use serde_json::{Value, json};

const RECORDED: &[u8] = include_bytes!("answer.ndjson");

#[test]
fn a_request_is_what_ollama_documents() {
    let options = || json!({ "temperature": null, "num_predict": 5, "seed": 7 });
    let extra = |value: &str| [("num_ctx".to_owned(), value.to_owned())];
    let encoded = body("qwen", &[("user", "hi")], true, options(), &extra("4096")).expect("it is valid");
    let expected = json!({
        "model": "qwen",
        "messages": [{ "role": "user", "content": "hi" }],
        "stream": true,
        "options": { "num_predict": 5, "seed": 7, "num_ctx": 4096 },
    });
    assert_eq!(serde_json::from_slice::<Value>(&encoded).ok(), Some(expected));
    assert!(body("qwen", &[], true, options(), &extra("many")).is_err());
}

#[test]
fn an_answer_is_the_same_wherever_it_is_cut() {
    for cut in 0..=RECORDED.len() {
        let mut answer = Answer::new(200, &[]);
        let mut pieces = answer.push(&RECORDED[..cut]);
        pieces.extend(answer.push(&RECORDED[cut..]));
        let finished = Finished {
            text: "Grüße!\n".to_owned(),
            reason: "stop".to_owned(),
            input_tokens: 31,
            output_tokens: 4,
            model: Some("qwen2.5-coder:1.5b".to_owned()),
        };
        assert_eq!((answer.finish(), pieces.concat().as_str()), (Ok(finished), "Grüße!\n"));
    }
}

#[test]
fn what_goes_wrong_has_a_type() {
    let malformed = |text: &str| Failure::Malformed(text.to_owned());
    let cut = r#"{"message":{"content":"a"},"done":false}"#;
    for (status, text, failure) in [
        (404, r#"{"error":"no such model"}"#, Failure::InvalidRequest("404: no such model".to_owned())),
        (429, "", Failure::RateLimited(Some(2000))),
        (503, "<html>", Failure::Overloaded(Some(2000))),
        (200, cut, malformed("the answer ends before its last message")),
        (200, "hello", malformed("not a message: hello")),
    ] {
        let mut answer = Answer::new(status, &[("retry-after".to_owned(), "2".to_owned())]);
        answer.push(text.as_bytes());
        assert_eq!(answer.finish(), Err(failure));
    }
}
