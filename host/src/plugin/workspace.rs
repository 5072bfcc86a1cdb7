//! `aiagent:step/workspace`: the task's tree of files, as a step sees it.

use bytes::Bytes;
use wasmtime::Result;

use super::bindings::workspace as wit;
use super::state::State;
use crate::workspace::{ApplyError, Edit, File, Globs, Mode, Rejection, TreeError, TreePath};

/// A glob becomes a program that each path runs through.
const MAX_GLOB_BYTES: usize = 1024;

type Answer<T, E = wit::WorkspaceError> = Result<std::result::Result<T, E>>;

impl State {
    fn find(&self, glob: &str) -> std::result::Result<Vec<wit::Entry>, TreeError> {
        if glob.len() > MAX_GLOB_BYTES {
            let text = format!("a glob has at most {MAX_GLOB_BYTES} bytes; this one has {}", glob.len());
            return Err(TreeError::Other(text));
        }
        let globs = Globs::new([glob]).map_err(|error| TreeError::Other(error.to_string()))?;
        let entry = |(path, file): (&TreePath, &File)| wit::Entry {
            path: path.to_string(),
            size: file.blob.bytes().len() as u64,
            text: file.text().is_some(),
            protected: !self.kind.writes() || self.protected.matching(path.as_str()).is_some(),
        };
        Ok(self.tree.iter().filter(|(path, _)| globs.matching(path.as_str()).is_some()).map(entry).collect())
    }

    fn read_file(&self, path: &str) -> std::result::Result<Bytes, TreeError> {
        let path = TreePath::parse(path)?;
        let file = self.tree.get(path.as_str()).ok_or_else(|| TreeError::NotFound(path.to_string()))?;
        match file.mode {
            Mode::Regular | Mode::Executable => Ok(file.blob.bytes().clone()),
            // A link's bytes are its target; a step would take them for the file's text.
            Mode::Link => {
                let target = String::from_utf8_lossy(file.blob.bytes());
                Err(TreeError::Other(format!("{path} is a link to {target}; read that path")))
            }
        }
    }

    fn may_write(&self) -> std::result::Result<(), TreeError> {
        match self.kind.writes() {
            true => Ok(()),
            false => Err(TreeError::Denied(format!("a {} can't change files", self.kind))),
        }
    }

    fn write_file(&mut self, path: &str, content: Vec<u8>) -> std::result::Result<(), TreeError> {
        self.may_write()?;
        self.tree.guarded_write(&TreePath::parse(path)?, content, &self.protected)
    }

    fn remove_file(&mut self, path: &str) -> std::result::Result<(), TreeError> {
        self.may_write()?;
        self.tree.guarded_remove(&TreePath::parse(path)?, &self.protected)
    }

    fn apply_edits(&mut self, edits: &[Edit]) -> std::result::Result<(), ApplyError> {
        self.may_write()?;
        self.tree.apply(edits, &self.protected)
    }
}

impl wit::Host for State {
    fn list(&mut self, glob: String) -> Answer<Vec<wit::Entry>> {
        Ok(self.find(&glob).map_err(error))
    }

    fn read(&mut self, path: String) -> Answer<Vec<u8>> {
        Ok(self.read_file(&path).map(Vec::from).map_err(error))
    }

    fn write(&mut self, path: String, content: Vec<u8>) -> Answer<()> {
        Ok(self.write_file(&path, content).map_err(error))
    }

    fn remove(&mut self, path: String) -> Answer<()> {
        Ok(self.remove_file(&path).map_err(error))
    }

    fn apply(&mut self, edits: Vec<wit::Edit>) -> Answer<(), wit::ApplyError> {
        let edits: Vec<_> = edits.into_iter().map(edit).collect();
        Ok(self.apply_edits(&edits).map_err(|refused| match refused {
            ApplyError::Rejected(all) => wit::ApplyError::Rejected(all.into_iter().map(rejection).collect()),
            ApplyError::Tree(tree) => wit::ApplyError::Workspace(error(tree)),
        }))
    }
}

fn edit(edit: wit::Edit) -> Edit {
    match edit {
        wit::Edit::Whole(wit::WholeFile { path, content }) => Edit::Whole { path, content },
        wit::Edit::Replace(wit::Replacement { path, search, replace }) => {
            Edit::Replace { path, search, replace }
        }
        wit::Edit::Remove(path) => Edit::Remove { path },
    }
}

fn rejection(rejection: Rejection) -> wit::Rejection {
    wit::Rejection {
        index: rejection.index,
        path: rejection.path,
        reason: rejection.reason,
        nearest: rejection.nearest,
    }
}

fn error(error: TreeError) -> wit::WorkspaceError {
    match error {
        TreeError::InvalidPath(why) => wit::WorkspaceError::InvalidPath(why),
        TreeError::NotFound(path) => wit::WorkspaceError::NotFound(path),
        TreeError::Denied(why) => wit::WorkspaceError::Denied(why),
        TreeError::TooLarge(why) => wit::WorkspaceError::TooLarge(why),
        TreeError::Other(why) => wit::WorkspaceError::Other(why),
    }
}
