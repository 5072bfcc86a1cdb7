//! `aiagent:step/workspace`: the task's tree of files, as a step sees it.

use bytes::Bytes;
use wasmtime::Result;

use super::bindings::workspace as wit;
use super::state::State;
use crate::workspace::{Blob, File, Globs, Mode, TreeError, TreePath};

impl State {
    pub(super) fn may_write(&self, path: &str) -> std::result::Result<(), TreeError> {
        if !self.kind.writes() {
            return Err(TreeError::Denied(format!("a {} can't change files", self.kind)));
        }
        match self.protected.matching(path) {
            Some(glob) => Err(TreeError::Denied(format!("{path} is protected by {glob:?}"))),
            None => Ok(()),
        }
    }

    /// A link's bytes are its target; a step that takes them for the file's text would damage it.
    fn no_link(path: &str, file: &File) -> std::result::Result<(), TreeError> {
        match file.mode {
            Mode::Regular | Mode::Executable => Ok(()),
            Mode::Link => {
                let target = String::from_utf8_lossy(file.blob.bytes());
                Err(TreeError::Other(format!("{path} is a link to {target}; use that path")))
            }
        }
    }

    fn find(&self, glob: &str) -> std::result::Result<Vec<wit::Entry>, TreeError> {
        let globs = Globs::new([glob]).map_err(|error| TreeError::Other(error.to_string()))?;
        let entry = |(path, file): (&TreePath, &File)| wit::Entry {
            path: path.to_string(),
            size: file.blob.bytes().len() as u64,
            text: file.text().is_some(),
            protected: self.may_write(path.as_str()).is_err(),
        };
        Ok(self.tree.iter().filter(|(path, _)| globs.matching(path.as_str()).is_some()).map(entry).collect())
    }

    fn read_file(&self, path: &str) -> std::result::Result<Bytes, TreeError> {
        let path = TreePath::parse(path)?;
        let file = self.tree.get(path.as_str()).ok_or_else(|| TreeError::NotFound(path.to_string()))?;
        Self::no_link(path.as_str(), file)?;
        Ok(file.blob.bytes().clone())
    }

    pub(super) fn write_file(&mut self, path: &str, content: Vec<u8>) -> std::result::Result<(), TreeError> {
        let path = TreePath::parse(path)?;
        self.may_write(path.as_str())?;
        if let Some(file) = self.tree.get(path.as_str()) {
            Self::no_link(path.as_str(), file)?;
        }
        self.tree.put(path, Blob::new(content), None)
    }

    pub(super) fn remove_file(&mut self, path: &str) -> std::result::Result<(), TreeError> {
        let path = TreePath::parse(path)?;
        self.may_write(path.as_str())?;
        self.tree.remove(path.as_str()).map(drop)
    }
}

impl wit::Host for State {
    fn list(&mut self, glob: String) -> Result<std::result::Result<Vec<wit::Entry>, wit::WorkspaceError>> {
        Ok(self.find(&glob).map_err(error))
    }

    fn read(&mut self, path: String) -> Result<std::result::Result<Vec<u8>, wit::WorkspaceError>> {
        Ok(self.read_file(&path).map(Vec::from).map_err(error))
    }

    fn write(
        &mut self,
        path: String,
        content: Vec<u8>,
    ) -> Result<std::result::Result<(), wit::WorkspaceError>> {
        Ok(self.write_file(&path, content).map_err(error))
    }

    fn remove(&mut self, path: String) -> Result<std::result::Result<(), wit::WorkspaceError>> {
        Ok(self.remove_file(&path).map_err(error))
    }

    fn apply(&mut self, edits: Vec<wit::Edit>) -> Result<std::result::Result<(), wit::ApplyError>> {
        Ok(super::apply::apply(self, edits))
    }
}

pub(super) fn error(error: TreeError) -> wit::WorkspaceError {
    match error {
        TreeError::InvalidPath(why) => wit::WorkspaceError::InvalidPath(why),
        TreeError::NotFound(path) => wit::WorkspaceError::NotFound(path),
        TreeError::Denied(why) => wit::WorkspaceError::Denied(why),
        TreeError::TooLarge(why) => wit::WorkspaceError::TooLarge(why),
        TreeError::Other(why) => wit::WorkspaceError::Other(why),
    }
}
