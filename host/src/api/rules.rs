//! What each route asks of whoever calls it, in one table: role, length of body, and the word under which
//! the audit log has it.
//!
//! Invariant: a route that is not here is an administrator's.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};

use super::Api;
use crate::access::{Role, What};

/// The longest body of a route that takes few words.
const WORDS: usize = 1 << 20;

/// Files and their encoding around them; more than the default tree limit in Base64.
const OVERHEAD: f64 = 1.4;

/// Twice what a plugin may take to be compiled by default, as other work goes on meanwhile.
const COMPILING: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// No route of the kind reads one.
    None,
    Words,
    /// A task's files.
    Tree,
    /// A plugin's file, which is compiled before the answer.
    Plugin,
}

#[derive(Debug)]
pub(super) struct Rule {
    pub method: Method,
    pub path: &'static str,
    /// `None`: everybody, known or not.
    pub least: Option<Role>,
    pub body: Body,
    /// `None`: it changes nothing, or says so itself.
    pub what: Option<What>,
}

const fn open(method: Method, path: &'static str, body: Body) -> Rule {
    Rule { method, path, least: None, body, what: None }
}

const fn reads(path: &'static str) -> Rule {
    Rule { method: Method::GET, path, least: Some(Role::Viewer), body: Body::None, what: None }
}

const fn does(method: Method, path: &'static str, least: Role, body: Body, what: What) -> Rule {
    Rule { method, path, least: Some(least), body, what: Some(what) }
}

use Body::{None as Nothing, Plugin, Tree, Words};
use Role::{Administrator, Submitter};

pub(super) const RULES: &[Rule] = &[
    open(Method::GET, "/healthz", Nothing),
    open(Method::GET, "/readyz", Nothing),
    open(Method::GET, "/api/v1/session", Nothing),
    open(Method::POST, "/api/v1/session", Words),
    open(Method::DELETE, "/api/v1/session", Nothing),
    open(Method::GET, "/api/v1/session/sign-in", Nothing),
    open(Method::GET, "/api/v1/session/signed-in", Nothing),
    reads("/api/v1/tasks"),
    reads("/api/v1/tasks/count"),
    reads("/api/v1/tasks/{id}"),
    reads("/api/v1/tasks/{id}/journal"),
    reads("/api/v1/tasks/{id}/events"),
    reads("/api/v1/tasks/{id}/diff"),
    reads("/api/v1/tasks/{id}/archive"),
    reads("/api/v1/queues"),
    reads("/api/v1/workers"),
    reads("/api/v1/plugins"),
    reads("/api/v1/pipelines"),
    reads("/api/v1/changes"),
    reads("/api/v1/overview"),
    reads("/api/v1/about"),
    reads("/api/v1/samples"),
    does(Method::POST, "/api/v1/tasks", Submitter, Tree, What::Submitted),
    does(Method::POST, "/api/v1/tasks/batch", Submitter, Tree, What::Submitted),
    does(Method::POST, "/api/v1/tasks/{id}/again", Submitter, Words, What::RanAgain),
    does(Method::POST, "/api/v1/tasks/{id}/cancel", Submitter, Nothing, What::Cancelled),
    does(Method::POST, "/api/v1/tasks/{id}/requeue", Submitter, Nothing, What::Requeued),
    does(Method::DELETE, "/api/v1/tasks/{id}", Submitter, Nothing, What::Deleted),
    // The answer says which of them it was.
    does(Method::POST, "/api/v1/tasks/bulk/{deed}", Submitter, Words, What::Cancelled),
    does(Method::POST, "/api/v1/queues/{name}/pause", Administrator, Nothing, What::Paused),
    does(Method::POST, "/api/v1/queues/{name}/resume", Administrator, Nothing, What::Resumed),
    does(Method::POST, "/api/v1/plugins", Administrator, Plugin, What::Uploaded),
    does(Method::POST, "/api/v1/plugins/{file}/allow", Administrator, Words, What::Allowed),
    does(Method::DELETE, "/api/v1/plugins/{file}", Administrator, Nothing, What::Removed),
    Rule {
        method: Method::GET,
        path: "/api/v1/audit",
        least: Some(Administrator),
        body: Nothing,
        what: None,
    },
];

pub(super) fn rule(method: &Method, path: &str) -> Option<&'static Rule> {
    // axum answers HEAD by the routes of GET.
    let method = if method == Method::HEAD { &Method::GET } else { method };
    RULES.iter().find(|rule| rule.method == *method && rule.path == path)
}

impl Body {
    /// In bytes.
    pub(super) fn limit(self, api: &Api) -> usize {
        match self {
            Self::None | Self::Words => WORDS,
            Self::Tree => ((api.snapshots.limits().bytes as f64 * OVERHEAD) as usize).saturating_add(WORDS),
            Self::Plugin => usize::try_from(crate::plugin::MAX_FILE_BYTES).unwrap_or(usize::MAX),
        }
    }

    /// Until the answer begins.
    pub(super) fn time(self, api: &Api) -> Duration {
        let usual = Duration::from_secs(api.settings.api.timeout_s);
        match self {
            Self::None | Self::Words => usual,
            // The body, the turn and the repository each have that time.
            Self::Tree if takes_git(api) => usual.saturating_mul(3),
            Self::Tree => usual,
            Self::Plugin => usual.saturating_add(COMPILING),
        }
    }
}

fn takes_git(api: &Api) -> bool {
    !api.settings.api.git_urls.is_empty() || !api.settings.api.git_dirs.is_empty()
}

/// Adds to each described operation what its rule makes of it.
pub(super) fn describe(document: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response {
                    complete(status, response);
                }
            }
            let Some(rule) = rule(&method, path) else { continue };
            let mut add = |status: &str, text: String| {
                operation
                    .responses
                    .responses
                    .entry(status.to_owned())
                    .or_insert_with(|| problem(text).into());
            };
            if let Some(least) = rule.least {
                add("401", "Nothing that was sent says who asks, or it is no longer right".to_owned());
                add("403", format!("It needs the role {least}, or comes from another site's page"));
                add(
                    "429",
                    "Too many wrong tokens came from this address; Retry-After says when to go on".to_owned(),
                );
                let needs = format!("Needs the role {least}.");
                operation.description = Some(match operation.description.take() {
                    Some(text) => format!("{text}\n\n{needs}"),
                    None => needs,
                });
            }
            if rule.body != Body::None {
                add("408", "The body did not come in time".to_owned());
                add("413", "The body is too long".to_owned());
            }
        }
    }
}

const PROBLEM: &str = "application/problem+json";

fn problem(text: String) -> Response {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new().description(text).content(PROBLEM, content).build()
}

/// What OpenAPI wants and the handlers leave out: a text for each answer, and the type of a
/// [`Problem`](super::Problem).
fn complete(status: &str, response: &mut Response) {
    if response.description.is_empty() {
        let code = StatusCode::from_bytes(status.as_bytes()).ok();
        code.and_then(|code| code.canonical_reason()).unwrap_or(status).clone_into(&mut response.description);
    }
    let is_problem = |content: &RefOr<Content>| match content {
        RefOr::T(Content { schema: Some(RefOr::Ref(schema)), .. }) => {
            schema.ref_location.ends_with("/Problem")
        }
        _ => false,
    };
    if response.content.get("application/json").is_some_and(is_problem)
        && let Some(content) = response.content.shift_remove("application/json")
    {
        response.content.insert(PROBLEM.to_owned(), content);
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let all = [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_of_the_document_has_a_rule_and_every_rule_a_route() {
        let mut document = crate::api::openapi();
        let described: BTreeSet<String> = document
            .paths
            .paths
            .iter_mut()
            .flat_map(|(path, item)| operations(item).map(move |(method, _)| format!("{method} {path}")))
            .collect();
        let ruled: BTreeSet<String> =
            RULES.iter().map(|rule| format!("{} {}", rule.method, rule.path)).collect();
        assert_eq!(ruled, described);
        assert_eq!(ruled.len(), RULES.len(), "no route twice");
    }

    #[test]
    fn whatever_changes_something_is_no_viewers_and_is_told_of() {
        for rule in RULES.iter().filter(|rule| rule.path != "/api/v1/session") {
            let changes = rule.method != Method::GET;
            assert_eq!(rule.what.is_some(), changes, "{rule:?}");
            assert!(!changes || rule.least > Some(Role::Viewer), "{rule:?}");
        }
    }
}
