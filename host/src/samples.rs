//! The sample tasks of `host/samples/`, in the binary.

use std::collections::BTreeMap;

use rust_embed::RustEmbed;
use serde::Serialize;

#[derive(RustEmbed)]
#[folder = "samples/"]
#[include = "*/goal.txt"]
#[include = "*/files/*"]
struct Files;

/// A small task to try a host with.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Sample {
    pub name: String,
    pub goal: String,
    pub files: Vec<SampleFile>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SampleFile {
    pub path: String,
    pub content: String,
}

/// By name.
pub fn all() -> Vec<Sample> {
    let mut samples: BTreeMap<String, Sample> = BTreeMap::new();
    for path in Files::iter() {
        let Some((name, rest)) = path.split_once('/') else { continue };
        let Some(file) = Files::get(&path) else { continue };
        let content = String::from_utf8_lossy(&file.data).into_owned();
        let sample = samples
            .entry(name.to_owned())
            .or_insert_with(|| Sample { name: name.to_owned(), ..Sample::default() });
        match rest.strip_prefix("files/") {
            Some(path) => sample.files.push(SampleFile { path: path.to_owned(), content }),
            None => content.trim_end().clone_into(&mut sample.goal),
        }
    }
    samples.into_values().collect()
}
