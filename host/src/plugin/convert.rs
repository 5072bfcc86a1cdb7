//! Between the contract's types and the host's own. The words are the same on both sides.

use super::bindings::types as wit;
use super::{Call, StepError};
use crate::model::{Completion, FinishReason, Message, ModelError, Request, Role, Usage};
use crate::task::{Attempt, Counts, Level, Problem, Report, RoundKind, Verdict};

pub(super) fn level(level: wit::Level) -> Level {
    match level {
        wit::Level::Trace => Level::Trace,
        wit::Level::Debug => Level::Debug,
        wit::Level::Info => Level::Info,
        wit::Level::Warn => Level::Warn,
        wit::Level::Error => Level::Error,
    }
}

/// The globs are what the guest may show; the host checks every write against `call.protected`.
pub(super) fn task(call: &Call) -> wit::Task {
    wit::Task {
        id: call.task.clone(),
        goal: call.goal.clone(),
        tests: call.tests.clone(),
        protected: call.protected.iter().map(str::to_owned).collect(),
        settings: call.settings.clone(),
        temperature: call.temperature,
        attempt: call.attempt,
        seed: call.seed,
    }
}

pub(super) fn attempt(attempt: Attempt) -> wit::Attempt {
    wit::Attempt {
        number: attempt.number,
        kind: match attempt.kind {
            RoundKind::Build => wit::AttemptKind::Build,
            RoundKind::Fix => wit::AttemptKind::Fix,
        },
        summary: attempt.summary,
        diff: attempt.diff,
        report: attempt.report.map(report_to_guest),
        failure: attempt.failure,
        temperature: attempt.temperature,
        current: attempt.current,
    }
}

pub(super) fn report_to_guest(report: Report) -> wit::Report {
    wit::Report {
        verdict: match report.verdict {
            Verdict::Passed => wit::Verdict::Passed,
            Verdict::Failed => wit::Verdict::Failed,
            Verdict::Broken => wit::Verdict::Broken,
        },
        counts: wit::Counts {
            passed: report.counts.passed,
            failed: report.counts.failed,
            skipped: report.counts.skipped,
        },
        problems: report
            .problems
            .into_iter()
            .map(|problem| wit::Problem {
                test: problem.test,
                path: problem.path,
                line: problem.line,
                message: problem.message,
            })
            .collect(),
        output: report.output,
    }
}

pub(super) fn report(report: wit::Report) -> Report {
    Report {
        verdict: match report.verdict {
            wit::Verdict::Passed => Verdict::Passed,
            wit::Verdict::Failed => Verdict::Failed,
            wit::Verdict::Broken => Verdict::Broken,
        },
        counts: Counts {
            passed: report.counts.passed,
            failed: report.counts.failed,
            skipped: report.counts.skipped,
        },
        problems: report
            .problems
            .into_iter()
            .map(|problem| Problem {
                test: problem.test,
                path: problem.path,
                line: problem.line,
                message: problem.message,
            })
            .collect(),
        output: report.output,
    }
}

pub(super) fn request(request: wit::Request) -> Request {
    let message = |message: wit::Message| Message {
        role: match message.role {
            wit::Role::System => Role::System,
            wit::Role::User => Role::User,
            wit::Role::Assistant => Role::Assistant,
        },
        content: message.content,
    };
    Request {
        messages: request.messages.into_iter().map(message).collect(),
        temperature: request.temperature,
        max_tokens: request.max_tokens,
        stop: request.stop,
        seed: request.seed,
    }
}

pub(super) fn request_to_guest(request: &Request) -> wit::Request {
    let message = |message: &Message| wit::Message {
        role: match message.role {
            Role::System => wit::Role::System,
            Role::User => wit::Role::User,
            Role::Assistant => wit::Role::Assistant,
        },
        content: message.content.clone(),
    };
    wit::Request {
        messages: request.messages.iter().map(message).collect(),
        temperature: request.temperature,
        max_tokens: request.max_tokens,
        stop: request.stop.clone(),
        seed: request.seed,
    }
}

pub(super) fn completion_to_guest(completion: Completion) -> wit::Completion {
    wit::Completion {
        text: completion.text,
        finish: match completion.finish {
            FinishReason::Stop => wit::FinishReason::Stop,
            FinishReason::Length => wit::FinishReason::Length,
            FinishReason::ContentFilter => wit::FinishReason::ContentFilter,
            FinishReason::Other => wit::FinishReason::Other,
        },
        usage: wit::Usage {
            input_tokens: completion.usage.input_tokens,
            output_tokens: completion.usage.output_tokens,
        },
        model: completion.model,
    }
}

pub(super) fn completion(completion: wit::Completion) -> Completion {
    Completion {
        text: completion.text,
        finish: match completion.finish {
            wit::FinishReason::Stop => FinishReason::Stop,
            wit::FinishReason::Length => FinishReason::Length,
            wit::FinishReason::ContentFilter => FinishReason::ContentFilter,
            wit::FinishReason::Other => FinishReason::Other,
        },
        usage: Usage {
            input_tokens: completion.usage.input_tokens,
            output_tokens: completion.usage.output_tokens,
        },
        model: completion.model,
    }
}

/// Both enums have the same cases; writing them down once keeps the two directions alike.
macro_rules! same_cases {
    ($to_host:ident, $to_guest:ident, $wit:ty, $host:ty, [$($case:ident),* $(,)?]) => {
        pub(super) fn $to_host(error: $wit) -> $host {
            type From = $wit;
            type To = $host;
            match error { $(From::$case(detail) => To::$case(detail.into_other()),)* }
        }

        pub(super) fn $to_guest(error: $host) -> $wit {
            type From = $host;
            type To = $wit;
            match error { $(From::$case(detail) => To::$case(detail.into_other()),)* }
        }
    };
}

same_cases!(
    model_error,
    model_error_to_guest,
    wit::ModelError,
    ModelError,
    [
        RateLimited,
        ContextTooLong,
        Auth,
        ContentFilter,
        Overloaded,
        Malformed,
        InvalidRequest,
        Timeout,
        Unreachable,
        Budget,
        Other,
    ]
);
same_cases!(
    step_error,
    step_error_to_guest,
    wit::StepError,
    StepError,
    [Model, UnusableAnswer, Settings, Denied, Other]
);

/// A case's detail on the other side.
trait IntoOther<T> {
    fn into_other(self) -> T;
}

impl IntoOther<String> for String {
    fn into_other(self) -> String {
        self
    }
}

impl IntoOther<Option<u64>> for Option<u64> {
    fn into_other(self) -> Option<u64> {
        self
    }
}

impl IntoOther<ModelError> for wit::ModelError {
    fn into_other(self) -> ModelError {
        model_error(self)
    }
}

impl IntoOther<wit::ModelError> for ModelError {
    fn into_other(self) -> wit::ModelError {
        model_error_to_guest(self)
    }
}
