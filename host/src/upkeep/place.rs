//! From a backup to a host.

use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

use super::format::{About, CONFIG, ENV, KEYS, PLUGINS, Part, REDIS, STATE, STORE};
use super::read::{self, Sink};
use super::{Hold, Kept, UpkeepError, at};
use crate::access::make_folder;
use crate::store::{Put, SqliteStore, Stored};

/// In the names of files that a restore has replaced; the time follows.
pub(super) const ASIDE: &str = ".replaced-";

/// Of two files that are compared, at a time.
const PIECE: usize = 1 << 16;

/// Where a backup goes.
#[derive(Clone)]
pub struct Target {
    pub state_dir: PathBuf,
    pub store: Kept,
    /// The file in use. `None`: where it was.
    pub config: Option<PathBuf>,
    pub plugins_dirs: Vec<PathBuf>,
    /// Empty: all.
    pub only: Vec<Part>,
    /// Moves aside what is there and differs.
    pub replace: bool,
}

#[derive(Debug)]
pub struct Restored {
    pub about: About,
    /// What was written.
    pub placed: Vec<PathBuf>,
    /// What was there before, under its new name.
    pub aside: Vec<PathBuf>,
    /// What was there already.
    pub unchanged: usize,
    /// What the restored store holds, by table. `None`: the state was not asked for.
    pub store: Option<BTreeMap<String, Stored>>,
}

/// Checks the whole backup, then puts its files where they belong; undoes it all where one can't be.
/// Blocks.
pub fn restore(path: &Path, target: &Target) -> Result<Restored, UpkeepError> {
    make_folder(&target.state_dir).map_err(at("make the folder", &target.state_dir))?;
    let _hold = Hold::alone(&target.state_dir)?;
    let mut stage = Stage::new(&target.state_dir)?;
    let about = read::read(path, &mut stage)?;
    let state = target.only.is_empty() || target.only.contains(&Part::State);
    if state {
        target.store.check(path, &about)?;
    }
    let known =
        if about.redis == target.store.is_redis() { target.store.known_schema() } else { about.schema };
    if about.schema > known {
        let why = format!("its store has schema {}, and this one knows up to {known}", about.schema);
        return Err(UpkeepError::Newer { path: path.to_owned(), version: about.version, why });
    }
    let mut moves = Vec::new();
    for (name, staged) in &stage.files {
        let wanted = Part::of(name).is_some_and(|part| target.only.is_empty() || target.only.contains(&part));
        if wanted && name != REDIS {
            moves.push((staged, target.place(name, &about)?));
        }
    }
    let total = moves.len();
    // What was done on this machine stays written down, whatever is put in place.
    let told = target.state_dir.join(crate::access::AUDIT_FOLDER);
    moves.retain(|(staged, place)| !(same(staged, place) || place.starts_with(&told) && place.exists()));
    let occupied: Vec<PathBuf> =
        moves.iter().filter(|(_, place)| target.occupies(place)).map(|it| it.1.clone()).collect();
    if !occupied.is_empty() && !target.replace {
        return Err(UpkeepError::Occupied(occupied));
    }
    let mut placing = Placing { aside_name: aside_name(), ..Placing::default() };
    let unchanged = total - moves.len();
    let copy = stage.files.get(REDIS).map(PathBuf::as_path);
    match placing.run(&moves, target, copy, state.then_some(&about)) {
        Ok(store) => Ok(Restored {
            about,
            placed: placing.placed,
            aside: placing.aside.into_iter().map(|it| it.1).collect(),
            unchanged,
            store,
        }),
        Err(error) => {
            placing.undo(&target.store);
            Err(error)
        }
    }
}

impl Target {
    fn place(&self, name: &str, about: &About) -> Result<PathBuf, UpkeepError> {
        let config = || self.config.clone().or_else(|| about.config.clone());
        let missing =
            || UpkeepError::Damaged { path: name.into(), why: "nothing says where it was".to_owned() };
        if let (STORE, Some(file)) = (name, self.store.file()) {
            return Ok(file.to_owned());
        }
        if let Some(rest) = name.strip_prefix(STATE) {
            return Ok(self.state_dir.join(rest));
        }
        if name == CONFIG {
            return config().ok_or_else(missing);
        }
        if name == ENV {
            return Ok(config().ok_or_else(missing)?.with_file_name("env"));
        }
        if let Some(number) = name.strip_prefix(KEYS) {
            let file = number.parse().ok().and_then(|number: usize| about.key_files.get(number));
            return file.cloned().ok_or_else(missing);
        }
        let (number, file) =
            name.strip_prefix(PLUGINS).and_then(|rest| rest.split_once('/')).ok_or_else(missing)?;
        let number: usize = number.parse().map_err(|_| missing())?;
        let was = about.plugins_dirs.get(number).ok_or_else(missing)?;
        // The same folder as before, else the one in its place, else the last.
        let dirs = &self.plugins_dirs;
        let dir = dirs.iter().find(|dir| *dir == was).or_else(|| dirs.get(number)).or_else(|| dirs.last());
        Ok(dir.ok_or_else(|| UpkeepError::NoPluginsFolder(was.clone()))?.join(file))
    }

    /// Whether something of value is there. A store without tasks is none: a host that was only started
    /// has left it.
    fn occupies(&self, place: &Path) -> bool {
        let is_store = Some(place) == self.store.file();
        if !is_store && place.starts_with(&self.state_dir) && self.store_is_empty() {
            return false;
        }
        place.exists() && (!is_store || !self.store_is_empty())
    }

    /// A Redis was looked at before.
    fn store_is_empty(&self) -> bool {
        let Some(file) = self.store.file() else { return true };
        !file.exists() || SqliteStore::holds_tasks(file).is_ok_and(|holds| !holds)
    }
}

/// The backup's files, unpacked beside where they will go.
struct Stage {
    dir: TempDir,
    files: BTreeMap<String, PathBuf>,
}

impl Stage {
    fn new(state_dir: &Path) -> Result<Self, UpkeepError> {
        let dir = tempfile::Builder::new().prefix(".restore-").tempdir_in(state_dir);
        Ok(Self { dir: dir.map_err(at("write to", state_dir))?, files: BTreeMap::new() })
    }
}

impl Sink for Stage {
    fn entry(&mut self, name: &str, mode: u32, content: &mut dyn Read) -> Result<(), UpkeepError> {
        let path = self.dir.path().join(self.files.len().to_string());
        let written = File::create_new(&path).and_then(|mut file| {
            file.set_permissions(Permissions::from_mode(mode))?;
            io::copy(content, &mut file)
        });
        written.map_err(at("unpack to", &path))?;
        self.files.insert(name.to_owned(), path);
        Ok(())
    }
}

#[derive(Default)]
struct Placing {
    aside_name: String,
    placed: Vec<PathBuf>,
    /// From where it was to where it is.
    aside: Vec<(PathBuf, PathBuf)>,
    /// Into a Redis.
    put: Put,
}

impl Placing {
    fn run(
        &mut self,
        moves: &[(&PathBuf, PathBuf)],
        target: &Target,
        copy: Option<&Path>,
        state_of: Option<&About>,
    ) -> Result<Option<BTreeMap<String, Stored>>, UpkeepError> {
        for (staged, place) in moves {
            let new = fresh(staged, place)?;
            self.put_aside(place)?;
            if Some(place.as_path()) == target.store.file() {
                // They belong to the file that was there.
                for suffix in ["-wal", "-shm"] {
                    self.put_aside(&PathBuf::from(format!("{}{suffix}", place.display())))?;
                }
            }
            new.persist(place).map_err(|error| at("write", place)(error.error))?;
            self.placed.push(place.clone());
        }
        let Some(about) = state_of else { return Ok(None) };
        if let Some(copy) = copy {
            target.store.fill(copy, &mut self.put)?;
        }
        let store = target.store.contents()?;
        match about.store.iter().find(|(table, stored)| store.get(*table) != Some(stored)) {
            Some((table, _)) => Err(UpkeepError::Differs(format!("table {table}"))),
            None => Ok(Some(store)),
        }
    }

    fn put_aside(&mut self, place: &Path) -> Result<(), UpkeepError> {
        if place.symlink_metadata().is_err() {
            return Ok(());
        }
        let aside = PathBuf::from(format!("{}{}", place.display(), self.aside_name));
        std::fs::rename(place, &aside).map_err(at("move aside", place))?;
        self.aside.push((place.to_owned(), aside));
        Ok(())
    }

    fn undo(&mut self, store: &Kept) {
        if let Err(error) = store.take_back(&self.put) {
            tracing::error!(%error, "a failed restore can't be undone in the store");
        }
        let gone = self.placed.drain(..).map(|path| (std::fs::remove_file(&path), path));
        let gone: Vec<_> = gone.collect();
        let back = self.aside.drain(..).map(|(was, aside)| (std::fs::rename(&aside, &was), was));
        for (done, path) in gone.into_iter().chain(back) {
            if let Err(error) = done {
                tracing::error!(file = %path.display(), %error, "a failed restore can't be undone here");
            }
        }
    }
}

fn aside_name() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    format!("{ASIDE}{}", since.map_or(0, |since| since.as_secs()))
}

/// The content, on disk in the folder it goes to, with that folder's owner.
fn fresh(staged: &Path, place: &Path) -> Result<NamedTempFile, UpkeepError> {
    let folder = place.parent().unwrap_or(Path::new("/"));
    make_folder(folder).map_err(at("make the folder", folder))?;
    let copied = NamedTempFile::new_in(folder).and_then(|mut new| {
        let mut from = File::open(staged)?;
        io::copy(&mut from, &mut new)?;
        new.as_file().set_permissions(from.metadata()?.permissions())?;
        give(new.path(), folder)?;
        new.as_file().sync_all()?;
        Ok(new)
    });
    copied.map_err(at("write", place))
}

/// For an administrator who restores a service's files.
fn give(path: &Path, like: &Path) -> io::Result<()> {
    let like = match like.as_os_str().is_empty() {
        true => std::fs::metadata(".")?,
        false => std::fs::metadata(like)?,
    };
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(path, Some(like.uid()), Some(like.gid()))?;
    }
    Ok(())
}

fn same(staged: &Path, place: &Path) -> bool {
    let compare = || -> io::Result<bool> {
        let (mut a, mut b) = (File::open(staged)?, File::open(place)?);
        let mut left = a.metadata()?.len();
        if left != b.metadata()?.len() {
            return Ok(false);
        }
        let (mut one, mut other) = (vec![0; PIECE], vec![0; PIECE]);
        while left > 0 {
            let piece = PIECE.min(usize::try_from(left).unwrap_or(PIECE));
            a.read_exact(&mut one[..piece])?;
            b.read_exact(&mut other[..piece])?;
            if one[..piece] != other[..piece] {
                return Ok(false);
            }
            left -= piece as u64;
        }
        Ok(true)
    };
    compare().unwrap_or(false)
}
