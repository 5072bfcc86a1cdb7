//! Which file each block of an answer belongs to.
use crate::fence::Block;
use crate::name;
use crate::replace;
use crate::scene::Scene;
use crate::source::{self, Language};

#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// The whole of a file; its first line may be a comment that only names it.
    File { path: String, skip_first_line: bool },
    /// A unified diff.
    Diff,
    /// An example, a command, an echo of the tests: no file.
    Nowhere,
}

/// A place for each block, in order.
///
/// # Errors
/// A block that names a file outside the tree, or code for which no file can be told.
pub fn places(scene: &Scene, blocks: &[Block], notes: &mut Vec<String>) -> Result<Vec<Place>, String> {
    let mut places = Vec::with_capacity(blocks.len());
    let mut carried: Option<String> = None;
    for block in blocks {
        let content = block.content.trim();
        // A block that holds nothing but a path names the next one.
        if name::is_path(content) {
            carried = Some(content.to_owned());
            places.push(Place::Nowhere);
            continue;
        }
        let named = name::of(block).or(carried.take().map(|path| name::Named { path, in_comment: false }));
        let diff = source::tagged(&block.info) == Some("diff") || content.starts_with("--- ");
        places.push(if content.is_empty() {
            Place::Nowhere
        } else if diff && !replace::diff(&block.content).is_empty() {
            Place::Diff
        } else if let Some(named) = named {
            Place::File { path: settle(scene, &named.path, notes)?, skip_first_line: named.in_comment }
        } else {
            Place::Nowhere
        });
    }
    place_unnamed(scene, blocks, &mut places, notes)?;
    Ok(places)
}

/// The path in the tree that the answer's path means.
///
/// # Errors
/// A path outside the tree that is no wanted file's either.
pub fn settle(scene: &Scene, path: &str, notes: &mut Vec<String>) -> Result<String, String> {
    if scene.entry(path).is_some() {
        return Ok(path.to_owned());
    }
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let outside = name::climbs(path);
    let placeholder = path.starts_with("path/to/") || path.starts_with("your_");
    let known_folder = scene.entries.iter().any(|entry| entry.path.starts_with(&format!("{folder}/")));
    if outside || placeholder || !known_folder {
        let namesake = |known: &&str| known.rsplit('/').next() == Some(file);
        let mut wanted = scene.wanted.iter().map(|wanted| wanted.path.as_str()).filter(namesake);
        let mut existing = scene.entries.iter().map(|entry| entry.path.as_str()).filter(namesake);
        let meant = match (wanted.next(), wanted.next()) {
            (Some(path), None) => Some(path),
            (None, None) if outside || placeholder => existing.next().filter(|_| existing.next().is_none()),
            _ => None,
        };
        if let Some(meant) = meant.filter(|meant| *meant != path) {
            notes.push(format!("took {path} for {meant}"));
            return Ok(meant.to_owned());
        }
    }
    if outside {
        return Err(format!("the answer names {path}, which is outside the workspace"));
    }
    Ok(path.strip_prefix("path/to/").unwrap_or(path).to_owned())
}

fn place_unnamed(
    scene: &Scene,
    blocks: &[Block],
    places: &mut [Place],
    notes: &mut Vec<String>,
) -> Result<(), String> {
    let named: Vec<String> = places
        .iter()
        .filter_map(|place| match place {
            Place::File { path, .. } if !scene.is_protected(path) => Some(path.clone()),
            Place::File { .. } | Place::Diff | Place::Nowhere => None,
        })
        .collect();
    let any_other = |place: &Place| *place != Place::Nowhere;
    let nothing_else = !places.iter().any(any_other);
    let open: Vec<usize> = (0..blocks.len())
        .filter(|at| places[*at] == Place::Nowhere)
        .filter(|at| !blocks[*at].content.trim().is_empty() && !name::is_path(blocks[*at].content.trim()))
        .filter(|at| !is_echo(scene, &blocks[*at].content))
        .collect();
    let mut homeless = None;
    for at in &open {
        let block = &blocks[*at];
        match home(scene, block, open.len() == 1) {
            // A file the answer names elsewhere has its block; this one is an example.
            Some(path) if named.contains(&path) => {
                notes.push(format!("left out an unnamed block beside {path}"))
            }
            Some(path) => places[*at] = Place::File { path, skip_first_line: false },
            None if looks_like_code(block) => homeless = Some(at),
            None => {}
        }
    }
    let placed = places.iter().any(any_other);
    match homeless {
        Some(at) if nothing_else && !placed => {
            let path = only_home(scene, &blocks[*at].content, source::tagged(&blocks[*at].info))?;
            notes.push(format!("the answer names no file: took {path}"));
            places[*at] = Place::File { path, skip_first_line: false };
        }
        Some(_) => notes.push("left out a block that belongs to no file asked for".into()),
        None => {}
    }
    Ok(())
}

fn looks_like_code(block: &Block) -> bool {
    !matches!(source::tagged(&block.info), Some("sh" | "txt" | "json" | "diff"))
        && !source::definitions(&block.content).is_empty()
}

/// A test the model was shown, or one it made up, where the code was asked for.
fn is_echo(scene: &Scene, content: &str) -> bool {
    let same =
        scene.tests.iter().filter_map(|path| scene.text(path)).any(|text| text.trim() == content.trim());
    let defined = source::definitions(content);
    let asked = scene.wanted.iter().flat_map(|wanted| &wanted.symbols).any(|symbol| defined.contains(symbol));
    let test = defined.iter().any(|name| name.starts_with("test_") || name.starts_with("Test"));
    same || (test && !asked && !scene.wanted.is_empty())
}

/// The wanted file that an unnamed block defines the names of; else the only one, if the block can be its.
fn home(scene: &Scene, block: &Block, alone: bool) -> Option<String> {
    let defined = source::definitions(&block.content);
    let score = |path: &str, symbols: &[String]| {
        let known = scene.text(path).map_or_else(Vec::new, source::definitions);
        let count = |names: &[String]| names.iter().filter(|name| defined.contains(name)).count();
        2 * count(symbols) + count(&known)
    };
    let scores: Vec<(usize, &str)> = scene
        .wanted
        .iter()
        .map(|wanted| (score(&wanted.path, &wanted.symbols), wanted.path.as_str()))
        .collect();
    let best = scores.iter().map(|(score, _)| *score).max().unwrap_or(0);
    let mut at_best = scores.iter().filter(|(score, _)| *score == best);
    if best > 0
        && let (Some((_, path)), None) = (at_best.next(), at_best.next())
    {
        return Some((*path).to_owned());
    }
    match &scores[..] {
        [(_, path)] => {
            let tag = source::tagged(&block.info);
            let fits =
                tag.is_none_or(|tag| path.ends_with(tag) || source::language(path) == language_of(tag));
            let code = !defined.is_empty() || !source::is_code(path) || has_body(&block.content);
            // A wrong language tag is common, a lone command line is not code.
            ((fits && (code || alone)) || (alone && !defined.is_empty())).then(|| (*path).to_owned())
        }
        _ => None,
    }
}

fn language_of(tag: &str) -> Language {
    match source::language(&format!("x.{tag}")) {
        // No two files of unknown languages are alike.
        Language::Other => Language::Go,
        language => language,
    }
}

/// A bare function body, as models complete a signature.
fn has_body(content: &str) -> bool {
    content.lines().any(|line| line.trim_start().starts_with("return"))
}

/// A file for code that names none: the wanted one, or in a tree without code one named by what it defines.
///
/// # Errors
/// Several files could be meant.
pub fn only_home(scene: &Scene, code: &str, tag: Option<&str>) -> Result<String, String> {
    if let [wanted] = &scene.wanted[..] {
        return Ok(wanted.path.clone());
    }
    let block = Block { info: String::new(), content: code.to_owned(), before: String::new(), closed: true };
    if let Some(path) = home(scene, &block, true) {
        return Ok(path);
    }
    if !scene.wanted.is_empty() || scene.sources().next().is_some() {
        let paths: Vec<_> = scene.wanted.iter().map(|wanted| wanted.path.as_str()).collect();
        let among =
            if paths.is_empty() { String::new() } else { format!(" (asked for: {})", paths.join(", ")) };
        return Err(format!("the answer does not say which file its code belongs to{among}"));
    }
    let first = source::definitions(code).into_iter().next().unwrap_or_else(|| "main".into());
    let lines = |start: &str| code.lines().any(|line| line.starts_with(start));
    let tag = tag.filter(|tag| !matches!(*tag, "sh" | "txt" | "diff"));
    let extension = if let Some(tag) = tag {
        tag
    } else if lines("fn ") || lines("pub fn ") || lines("use ") {
        "rs"
    } else if lines("package ") {
        "go"
    } else if lines("function ") || lines("const ") || lines("export ") {
        "js"
    } else {
        "py"
    };
    Ok(format!("{}.{extension}", first.to_ascii_lowercase()))
}
