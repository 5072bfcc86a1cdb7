//! Parts that take the place of a pipeline's: that they are there, before a task waits for them.

use crate::config::Settings;
use crate::plugin::{Catalog, Kind};
use crate::task::{Changes, Pipeline, PluginRef};
use crate::workspace::Globs;

use super::{Refusal, clip};

/// Enough for any project; each step goes through all of them.
const MOST_GLOBS: usize = 256;

/// A name is near where this much of it is right.
const NEAR: f64 = 0.6;

/// The pipeline with these changes.
pub(super) fn changed(
    pipeline: Pipeline,
    changes: &Changes,
    settings: &Settings,
    catalog: &Catalog,
) -> Result<Pipeline, Refusal> {
    let mut pipeline = pipeline;
    let steps = &changes.steps;
    for (kind, wanted, part) in [
        (Kind::Builder, &steps.builder, &mut pipeline.builder),
        (Kind::Checker, &steps.checker, &mut pipeline.checker),
    ] {
        if let Some(name) = wanted {
            *part = plugin(kind, name, Some(part), catalog)?;
        }
    }
    if let Some(name) = &steps.fixer {
        let there = pipeline.fixer.as_ref();
        pipeline.fixer =
            if name.is_empty() { None } else { Some(plugin(Kind::Fixer, name, there, catalog)?) };
    }
    if let Some(name) = &steps.model {
        let known = settings.models.contains_key(name) || pipeline.model.as_ref() == Some(name);
        if !name.is_empty() && !known {
            let names = settings.models.keys().map(String::as_str);
            return Err(unknown("model", name, "configured", names));
        }
        pipeline.model = (!name.is_empty()).then(|| name.clone());
    }
    if changes.protected.len() > MOST_GLOBS {
        return Err(Refusal::Protected(format!(
            "{} globs are more than {MOST_GLOBS}: name folders, such as \"tests/**\"",
            changes.protected.len()
        )));
    }
    Globs::new(&changes.protected).map_err(|error| Refusal::Protected(error.to_string()))?;
    pipeline.protected.extend(changes.protected.iter().cloned());
    Ok(pipeline)
}

/// Settings belong to the plugin that the pipeline names.
fn plugin(
    kind: Kind,
    name: &str,
    there: Option<&PluginRef>,
    catalog: &Catalog,
) -> Result<PluginRef, Refusal> {
    if let Some(there) = there.filter(|there| there.name == name) {
        return Ok(there.clone());
    }
    match catalog.find(name) {
        Some(loaded) if loaded.kind == kind => {
            Ok(PluginRef { name: name.to_owned(), settings: Default::default() })
        }
        Some(loaded) => Err(Refusal::UnknownStep {
            part: kind.as_str(),
            name: clip(name),
            hint: format!("that is the name of a plugin that is a {}", loaded.kind),
        }),
        None => {
            let of_kind = catalog.loaded.iter().filter(|loaded| loaded.kind == kind);
            Err(unknown(kind.as_str(), name, "loaded", of_kind.map(|loaded| loaded.name.as_str())))
        }
    }
}

fn unknown<'a>(
    part: &'static str,
    name: &str,
    how: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Refusal {
    let name = clip(name);
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(known, &name);
    let nearest = known.clone().filter(|known| likeness(known) >= NEAR);
    let hint = match nearest.max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(nearest) => format!("did you mean {nearest:?}?"),
        None => match known.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => format!("none is {how}"),
            names => format!("{how} are: {names}"),
        },
    };
    Refusal::UnknownStep { part, name, hint }
}
