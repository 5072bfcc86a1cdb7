use super::*;

#[test]
fn the_highest_role_that_a_claim_gives_counts() {
    let roles =
        BTreeMap::from([("readers".to_owned(), Role::Viewer), ("ops".to_owned(), Role::Administrator)]);
    for (claims, claim, wanted) in [
        (serde_json::json!({ "roles": ["x", "readers"] }), "roles", Some(Role::Viewer)),
        (serde_json::json!({ "roles": ["ops", "readers"] }), "roles", Some(Role::Administrator)),
        (serde_json::json!({ "roles": "ops" }), "roles", Some(Role::Administrator)),
        (serde_json::json!({ "roles": [1, null, { "ops": "ops" }] }), "roles", None),
        (serde_json::json!({ "roles": ["OPS"] }), "roles", None),
        (serde_json::json!({}), "roles", None),
        (
            serde_json::json!({ "realm_access": { "roles": ["ops"] } }),
            "realm_access.roles",
            Some(Role::Administrator),
        ),
        (
            serde_json::json!({ "https://a.example/roles": ["readers"] }),
            "https://a.example/roles",
            Some(Role::Viewer),
        ),
    ] {
        let claims = claims.as_object().expect("an object");
        assert_eq!(role(claims, claim, &roles), wanted, "{claims:?}");
    }
}

#[test]
fn nobody_calls_themselves_what_another_is() {
    assert_eq!(name(Some("ann"), "auth0|17"), "ann (auth0|17)");
    assert_eq!(name(Some("token (1)\u{202e}<b>"), "17"), "token1b (17)");
    assert_eq!(name(Some("\u{202e} "), "17"), "(17)");
    assert_eq!(name(None, &"x".repeat(1000)).len(), LONGEST_NAME + 2);
}
