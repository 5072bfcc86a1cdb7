//! The plainest task there is: nothing runs it, only the store sees it.

use std::collections::BTreeMap;

use aiagent_host::task::{Budget, Digest, Pipeline, PluginRef, Spec};

pub(crate) fn spec(goal: impl Into<String>, tree: Digest) -> Spec {
    let plugin = |name: &str| PluginRef { name: name.to_owned(), settings: BTreeMap::new() };
    let pipeline = Pipeline {
        name: "default".to_owned(),
        builder: plugin("builder"),
        checker: plugin("checker"),
        fixer: None,
        model: None,
        protected: Vec::new(),
        candidates: 1,
        max_rounds: 1,
        temperatures: Vec::new(),
    };
    Spec {
        goal: goal.into(),
        tree,
        tests: Vec::new(),
        pipeline,
        budget: Budget::default(),
        parent: None,
        trace: None,
        changes: Default::default(),
    }
}
