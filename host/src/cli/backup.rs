//! `aiagent-host backup`, `restore`, `migrate`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

use super::args::{Backup, Migrate, Restore};
use super::paint::{FAINT, GOOD};
use super::{Failed, exit};
use crate::app::open_redis;
use crate::config::{Config, Settings};
use crate::store::{SqliteStore, Stored, without_password};
use crate::upkeep::{self, About, Kept, Source, Target};

pub(super) async fn backup(args: Backup, config: Config) -> Result<u8, Failed> {
    let settings = &config.settings;
    let files = settings.models.values().map(|model| model.key_file.clone());
    let key_files: Vec<PathBuf> = files.filter(|file| !file.as_os_str().is_empty()).collect();
    let source = Source {
        state_dir: settings.state_dir.clone(),
        cache_dir: settings.cache_dir.clone(),
        store: kept(settings).await?,
        config: config.file.clone(),
        plugins_dirs: settings.plugins_dir.clone(),
        key_files,
        keys: args.with_keys,
    };
    let file = args.file.clone();
    let packed = tokio::task::spawn_blocking(move || upkeep::pack(&source, &file)).await??;
    if args.json {
        let whole =
            json!({ "file": args.file, "bytes": packed.bytes, "files": packed.files, "about": packed.about });
        say!("{}", serde_json::to_string_pretty(&whole)?)?;
        return Ok(0);
    }
    let size = packed.bytes as f64 / 1e6;
    say!(
        "{GOOD}✓{GOOD:#} {}: {size:.1} MB, {} files, read again and whole",
        args.file.display(),
        packed.files
    )?;
    tables(&packed.about.store)?;
    if !args.with_keys {
        say!("{FAINT}left out: keys, passwords and the token; --with-keys takes them along{FAINT:#}")?;
    }
    Ok(0)
}

pub(super) async fn restore(args: Restore, config: Config) -> Result<u8, Failed> {
    let file = args.file.clone();
    if args.check {
        let about = tokio::task::spawn_blocking(move || upkeep::check(&file)).await??;
        return checked(&args, &about);
    }
    let settings = &config.settings;
    let target = Target {
        state_dir: settings.state_dir.clone(),
        store: kept(settings).await?,
        config: config.file.clone(),
        plugins_dirs: settings.plugins_dir.clone(),
        only: args.only.clone(),
        replace: args.replace,
    };
    let restored = tokio::task::spawn_blocking(move || upkeep::restore(&file, &target)).await??;
    if args.json {
        let whole = json!({
            "about": restored.about,
            "placed": restored.placed,
            "aside": restored.aside,
            "unchanged": restored.unchanged,
            "store": restored.store,
        });
        say!("{}", serde_json::to_string_pretty(&whole)?)?;
        return Ok(0);
    }
    say!(
        "{GOOD}✓{GOOD:#} restored {} files; {} were there already",
        restored.placed.len(),
        restored.unchanged
    )?;
    for aside in &restored.aside {
        say!("  moved aside: {}", aside.display())?;
    }
    if let Some(store) = &restored.store {
        say!("  the store is the one that was backed up:")?;
        tables(store)?;
    }
    if !restored.about.keys {
        say!(
            "{FAINT}  no keys, passwords or token are in this backup: put them in place before the start{FAINT:#}"
        )?;
    }
    Ok(0)
}

fn checked(args: &Restore, about: &About) -> Result<u8, Failed> {
    if args.json {
        say!("{}", serde_json::to_string_pretty(about)?)?;
        return Ok(0);
    }
    say!(
        "{GOOD}✓{GOOD:#} {} is whole: aiagent-host {}, schema {}",
        args.file.display(),
        about.version,
        about.schema
    )?;
    tables(&about.store)?;
    Ok(0)
}

fn tables(store: &BTreeMap<String, Stored>) -> std::io::Result<()> {
    for (table, stored) in store.iter().filter(|(_, stored)| stored.rows > 0) {
        say!("  {table:<10} {:>8} rows  {}", stored.rows, stored.digest)?;
    }
    Ok(())
}

pub(super) async fn migrate(args: Migrate, settings: &Settings) -> Result<u8, Failed> {
    let path = store_file(settings)?;
    let known = SqliteStore::KNOWN_SCHEMA;
    if !path.is_file() {
        say!("no store at {}: the first start makes one of schema {known}", path.display())?;
        return Ok(0);
    }
    let have = schema(&path).await?;
    if have == known {
        say!("{GOOD}✓{GOOD:#} {} has schema {known}, as this version wants it", path.display())?;
        return Ok(0);
    }
    if args.check {
        say!("{} has schema {have}; this version brings it to {known}", path.display())?;
        return Ok(exit::OTHERWISE);
    }
    let opened = path.clone();
    tokio::task::spawn_blocking(move || SqliteStore::open(&opened)).await??;
    say!("{GOOD}✓{GOOD:#} {}: schema {have} → {known}", path.display())?;
    say!("  as it was: {}.schema-{have}", path.display())?;
    Ok(0)
}

async fn schema(path: &Path) -> anyhow::Result<usize> {
    let path = path.to_owned();
    Ok(tokio::task::spawn_blocking(move || SqliteStore::schema(&path)).await??)
}

async fn kept(settings: &Settings) -> Result<Kept, Failed> {
    if settings.store.starts_with("redis") {
        let store = open_redis(settings).await?;
        return Ok(Kept::Redis { store, shown: without_password(&settings.store) });
    }
    Ok(Kept::File(store_file(settings)?))
}

/// Of other stores there is no file.
fn store_file(settings: &Settings) -> Result<PathBuf, Failed> {
    let path = settings.store.strip_prefix("sqlite:").map(PathBuf::from);
    let other = match settings.store.as_str() {
        "memory" => "a store in memory has nothing to keep",
        _ => "a Redis has no schema that would have to be brought forward",
    };
    path.context(other).map_err(Failed::usage)
}
