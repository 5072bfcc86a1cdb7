//! A choice of plugins and a model, `[pipelines.NAME]`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::task::{Pipeline, PluginRef};

/// A pipeline as it is configured; a task keeps the [`Pipeline`] it resolves to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PipelineSettings {
    pub builder: String,
    pub checker: String,
    /// Empty: failed checks are answered by fresh builds only.
    pub fixer: String,
    /// A `[models.NAME]` section. Empty: no model.
    pub model: String,
    pub protected: Vec<String>,
    pub candidates: u32,
    pub max_rounds: u32,
    pub temperatures: Vec<f32>,
    pub builder_settings: BTreeMap<String, String>,
    pub checker_settings: BTreeMap<String, String>,
    pub fixer_settings: BTreeMap<String, String>,
}

impl Default for PipelineSettings {
    fn default() -> Self {
        Self {
            builder: "builder".to_owned(),
            checker: "check-python".to_owned(),
            fixer: "fixer".to_owned(),
            model: "default".to_owned(),
            protected: [".github/**", ".gitlab-ci.yml", ".ci/**"].map(str::to_owned).to_vec(),
            // Measured on HumanEval with a model of 1.5B parameters: up to three fresh builds at 0.8 solve 17 of
            // the 49 problems that the first build got wrong. Repairs were tried on few of them and did no better.
            candidates: 4,
            max_rounds: 6,
            temperatures: vec![0.0, 0.8],
            builder_settings: BTreeMap::new(),
            checker_settings: BTreeMap::new(),
            fixer_settings: BTreeMap::new(),
        }
    }
}

impl PipelineSettings {
    /// The copy that a task keeps.
    pub fn resolve(&self, name: &str) -> Pipeline {
        let plugin = |name: &str, settings: &BTreeMap<String, String>| PluginRef {
            name: name.to_owned(),
            settings: settings.clone(),
        };
        Pipeline {
            name: name.to_owned(),
            builder: plugin(&self.builder, &self.builder_settings),
            checker: plugin(&self.checker, &self.checker_settings),
            fixer: (!self.fixer.is_empty()).then(|| plugin(&self.fixer, &self.fixer_settings)),
            model: (!self.model.is_empty()).then(|| self.model.clone()),
            protected: self.protected.clone(),
            candidates: self.candidates,
            max_rounds: self.max_rounds,
            temperatures: self.temperatures.clone(),
        }
    }
}
