use http::HeaderValue;

use super::*;

/// A host whose tokens file has these names.
fn with(token: &str, names: &[(&str, Role)]) -> (tempfile::TempDir, Access, Vec<String>) {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("tokens.json");
    let made = names.iter().map(|(name, role)| create(&file, name, *role, None).expect("made")).collect();
    let settings = Settings {
        token: token.to_owned(),
        state_dir: dir.path().to_owned(),
        tokens_file: file,
        ..Settings::default()
    };
    let access = Access::open(&settings).expect("opened");
    (dir, access, made)
}

fn here() -> Caller {
    Caller { address: "127.0.0.1".parse().ok(), tls: false }
}

fn bearer(token: &str) -> HeaderMap {
    let value = HeaderValue::from_str(&format!("Bearer {token}")).expect("a value");
    HeaderMap::from_iter([(http::header::AUTHORIZATION, value)])
}

fn cookie(value: &str) -> HeaderMap {
    let value = HeaderValue::from_str(&format!("theme=dark; {COOKIE}={value}")).expect("a value");
    HeaderMap::from_iter([(http::header::COOKIE, value)])
}

fn name(access: &Access, headers: &HeaderMap) -> Option<String> {
    access.identify(headers, &here(), false).ok().map(|who| format!("{} {}", who.name, who.role))
}

#[test]
fn a_token_is_who_it_was_made_for_and_its_text_is_nowhere() {
    let (dir, access, made) = with("shared-canary", &[("ann", Role::Viewer), ("bob", Role::Administrator)]);
    assert_eq!(name(&access, &bearer(&made[0])).as_deref(), Some("ann viewer"));
    assert_eq!(name(&access, &bearer(&made[1])).as_deref(), Some("bob administrator"));
    assert_eq!(name(&access, &bearer("shared-canary")).as_deref(), Some("token administrator"));
    for wrong in ["", "shared", &made[0][..made[0].len() - 1]] {
        assert_eq!(name(&access, &bearer(wrong)), None, "{wrong:?}");
    }
    assert_eq!(name(&access, &HeaderMap::new()), None);
    let text = std::fs::read_to_string(dir.path().join("tokens.json")).expect("there");
    assert!(text.contains("ann") && !text.contains(made[0].trim_start_matches("aiagent_")), "{text}");
}

#[test]
fn the_file_counts_as_it_is_now() {
    let (dir, access, made) = with("", &[]);
    assert_eq!(name(&access, &HeaderMap::new()).as_deref(), Some("local administrator"));
    assert!(made.is_empty());
    let file = dir.path().join("tokens.json");
    let ann = create(&file, "ann", Role::Submitter, None).expect("made");
    let gone = create(&file, "gone", Role::Viewer, Some(1)).expect("made");
    assert_eq!(name(&access, &HeaderMap::new()), None, "from now on everyone has to say who they are");
    assert_eq!(name(&access, &bearer(&ann)).as_deref(), Some("ann submitter"));
    assert_eq!(name(&access, &bearer(&gone)), None, "it has expired");
    // What can't be read locks nobody out, and lets nobody in.
    let text = std::fs::read_to_string(&file).expect("there");
    std::fs::write(&file, "{").expect("writable");
    assert_eq!(name(&access, &bearer(&ann)).as_deref(), Some("ann submitter"));
    std::fs::write(&file, text).expect("writable");
    revoke(&file, "ann").expect("revoked");
    assert_eq!(name(&access, &bearer(&ann)), None);
    std::fs::remove_file(&file).expect("there");
    assert_eq!(name(&access, &HeaderMap::new()), None, "a host that was closed does not open by itself");
}

#[test]
fn a_session_ends_with_its_token_its_time_and_its_log_out() {
    let (dir, access, made) = with("", &[("ann", Role::Viewer)]);
    let log_in = || {
        let session = access.log_in(&made[0], &here()).expect("a right token");
        let value = access.cookie(&session).expect("signed");
        (session, cookie(&value), value)
    };
    let (session, first, value) = log_in();
    let (_, second, _) = log_in();
    assert_eq!(name(&access, &first).as_deref(), Some("ann viewer"));
    assert!(session.seconds_left() > 15 * 3600);
    let (text, signature) = value.split_once('.').expect("two parts");
    for forged in [format!("{text}A.{signature}"), format!("{text}."), text.to_owned(), String::new()] {
        assert_eq!(name(&access, &cookie(&forged)), None, "{forged}");
    }
    access.log_out(&session);
    assert_eq!(name(&access, &first), None);
    assert_eq!(name(&access, &second).as_deref(), Some("ann viewer"), "another browser's goes on");

    // A host that is started again knows its sessions.
    let settings = Settings {
        state_dir: dir.path().to_owned(),
        tokens_file: dir.path().join("tokens.json"),
        ..Settings::default()
    };
    let again = Access::open(&settings).expect("opened");
    assert_eq!(name(&again, &second).as_deref(), Some("ann viewer"));
    let file = dir.path().join("tokens.json");
    revoke(&file, "ann").expect("revoked");
    assert_eq!(name(&again, &second), None);
    let short = create(&file, "ann", Role::Administrator, Some(crate::task::now() + 60_000)).expect("made");
    assert_eq!(name(&again, &second), None, "it was for another token of that name");
    assert!(again.log_in(&short, &here()).expect("right").seconds_left() <= 60);
}

#[test]
fn the_shared_token_signs_for_all_hosts_that_have_it() {
    let (_one, here_, _) = with("shared-canary", &[]);
    let (_two, there, _) = with("shared-canary", &[]);
    let (_three, other, _) = with("another", &[]);
    let session = here_.log_in("shared-canary", &here()).expect("right");
    let value = cookie(&here_.cookie(&session).expect("signed"));
    assert_eq!(name(&there, &value).as_deref(), Some("token administrator"));
    assert_eq!(name(&other, &value), None);
}

#[test]
fn a_cookie_speaks_for_no_other_sites_changes() {
    let (_dir, access, made) = with("", &[("ann", Role::Submitter)]);
    let session = access.log_in(&made[0], &here()).expect("right");
    let mut headers = cookie(&access.cookie(&session).expect("signed"));
    headers.insert(http::header::HOST, HeaderValue::from_static("ours:8080"));
    for (origin, changes, allowed) in [
        (None, true, true),
        (Some("http://ours:8080"), true, true),
        (Some("http://evil.example"), false, true),
        (Some("http://evil.example"), true, false),
        (Some("null"), true, false),
    ] {
        headers.remove(http::header::ORIGIN);
        if let Some(origin) = origin {
            headers.insert(http::header::ORIGIN, HeaderValue::from_static(origin));
        }
        let who = access.identify(&headers, &here(), changes);
        assert_eq!(who.is_ok(), allowed, "{origin:?} {changes}: {who:?}");
    }
}

#[test]
fn a_proxys_own_password_shuts_out_no_session() {
    let (_dir, access, made) = with("", &[("ann", Role::Submitter)]);
    let session = access.log_in(&made[0], &here()).expect("right");
    let mut headers = cookie(&access.cookie(&session).expect("signed"));
    headers.insert(http::header::AUTHORIZATION, HeaderValue::from_static("Basic cHJveHk6c2VjcmV0"));
    for _ in 0..2 * WRONG_PER_ADDRESS {
        assert_eq!(name(&access, &headers).as_deref(), Some("ann submitter"));
    }
    headers.remove(http::header::COOKIE);
    assert!(matches!(access.identify(&headers, &here(), false), Err(Refused::Unknown)));
}

#[test]
fn names_are_checked_before_anything_is_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("deep/tokens.json");
    for name in ["", "a b", "token", "local", "nobody", "ü", &"x".repeat(65)] {
        let said = create(&file, name, Role::Viewer, None).expect_err("no name").to_string();
        assert!(said.contains("is no name"), "{said}");
    }
    assert!(!file.exists());
    assert_eq!(
        revoke(&file, "ann").expect_err("none").to_string(),
        "there is no token \"ann\"; there are: none"
    );
    create(&file, "ann", Role::Viewer, None).expect("made");
    let said = create(&file, "ann", Role::Viewer, None).expect_err("twice").to_string();
    assert_eq!(said, "there is a token \"ann\" already: revoke it first, or choose another name");
    let said = revoke(&file, "bob").expect_err("unknown").to_string();
    assert_eq!(said, "there is no token \"bob\"; there are: ann");
}
