//! A tree in memory and a model that answers from a script.
#![allow(dead_code, unreachable_pub, reason = "each test crate uses a part of it")]

use std::collections::{BTreeMap, VecDeque};

use answer::bindings::model::ModelLimits;
use answer::bindings::types::{Completion, FinishReason, Level, ModelError, Request, Task, Usage};
use answer::bindings::workspace::{ApplyError, Edit, Entry, Rejection, WorkspaceError};
use answer::host::Host;

pub struct Fake {
    pub files: BTreeMap<String, String>,
    pub protected: Vec<String>,
    pub answers: VecDeque<Result<Completion, ModelError>>,
    pub requests: Vec<Request>,
    pub log: Vec<String>,
    pub window: u32,
}

pub fn fake(files: &[(&str, &str)]) -> Fake {
    Fake {
        files: files.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect(),
        protected: Vec::new(),
        answers: VecDeque::new(),
        requests: Vec::new(),
        log: Vec::new(),
        window: 8192,
    }
}

pub fn completion(text: &str, finish: FinishReason) -> Completion {
    let usage = Usage { input_tokens: 1, output_tokens: 700 };
    Completion { text: text.into(), finish, usage, model: "fake".into() }
}

pub fn task(goal: &str, tests: &[&str]) -> Task {
    Task {
        id: "t1".into(),
        goal: goal.into(),
        tests: tests.iter().map(|path| (*path).into()).collect(),
        protected: Vec::new(),
        settings: Vec::new(),
        temperature: Some(0.5),
        attempt: 1,
        seed: 7,
    }
}

impl Fake {
    pub fn answering(mut self, texts: &[&str]) -> Self {
        self.answers = texts.iter().map(|text| Ok(completion(text, FinishReason::Stop))).collect();
        self
    }

    pub fn protecting(mut self, paths: &[&str]) -> Self {
        self.protected = paths.iter().map(|path| (*path).into()).collect();
        self
    }

    /// The last message of the last request.
    pub fn asked(&self) -> &str {
        let request = self.requests.last().expect("the model was asked");
        &request.messages.last().expect("a request has messages").content
    }

    fn reject(
        &self,
        files: &BTreeMap<String, String>,
        edit: &Edit,
    ) -> Result<(String, Option<String>), (String, String)> {
        let (path, content) = match edit {
            Edit::Whole(file) => (&file.path, Some(file.content.clone())),
            Edit::Remove(path) => (path, None),
            Edit::Replace(part) => {
                let Some(text) = files.get(&part.path) else {
                    return Err((part.path.clone(), "no such file".into()));
                };
                if text.matches(&part.search).count() != 1 {
                    return Err((part.path.clone(), "the passage was not found".into()));
                }
                (&part.path, Some(text.replacen(&part.search, &part.replace, 1)))
            }
        };
        if self.protected.contains(path) {
            return Err((path.clone(), "protected".into()));
        }
        Ok((path.clone(), content))
    }
}

impl Host for Fake {
    fn list(&mut self, glob: &str) -> Result<Vec<Entry>, WorkspaceError> {
        assert_eq!(glob, "**");
        let entry = |(path, text): (&String, &String)| Entry {
            path: path.clone(),
            size: text.len() as u64,
            text: true,
            protected: self.protected.contains(path),
        };
        Ok(self.files.iter().map(entry).collect())
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>, WorkspaceError> {
        let text = self.files.get(path).ok_or_else(|| WorkspaceError::NotFound(path.into()))?;
        Ok(text.clone().into_bytes())
    }

    fn apply(&mut self, edits: &[Edit]) -> Result<(), ApplyError> {
        let mut files = self.files.clone();
        let mut rejected = Vec::new();
        for (index, edit) in (0..).zip(edits) {
            match self.reject(&files, edit) {
                Ok((path, Some(content))) => drop(files.insert(path, content)),
                Ok((path, None)) => drop(files.remove(&path)),
                Err((path, reason)) => {
                    rejected.push(Rejection { index, path, reason, nearest: "x = 1".into() })
                }
            }
        }
        if !rejected.is_empty() {
            return Err(ApplyError::Rejected(rejected));
        }
        self.files = files;
        Ok(())
    }

    fn limits(&mut self) -> ModelLimits {
        ModelLimits { model: "fake".into(), context_window: self.window, tokens_left: None }
    }

    fn complete(&mut self, request: &Request) -> Result<Completion, ModelError> {
        self.requests.push(request.clone());
        self.answers.pop_front().expect("the model is asked no more often than scripted")
    }

    fn log(&mut self, _level: Level, message: &str) {
        self.log.push(message.to_owned());
    }
}
