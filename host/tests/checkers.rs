//! The first-party checkers as the host runs them: the real components in the real sandbox.

#[path = "support/first_party.rs"]
mod first_party;
#[path = "support/outside.rs"]
#[expect(dead_code, reason = "shared with the runtime's tests, which use all of it")]
mod outside;

#[path = "checkers/case.rs"]
mod case;
#[path = "checkers/command.rs"]
mod command;
#[path = "checkers/python.rs"]
mod python;
