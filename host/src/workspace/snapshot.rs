//! Trees in a store: a manifest, and the contents it names, each kept once under its digest.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::{Blob, Limits, Manifest, Tree, TreeError, TreePath};
use crate::store::{Store, StoreError};
use crate::task::Digest;

/// Contents that are on their way to or from the store at once.
const AT_ONCE: usize = 16;

#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The manifest does not fit the limits, or is not one.
    #[error("snapshot {snapshot}: {source}")]
    Tree { snapshot: Digest, source: TreeError },
}

/// Stores the tree and returns its name, which is [`Tree::digest`].
///
/// Contents that `base` names are taken to be there: give the manifest of a snapshot that the same
/// store holds, and that the same task refers to. The manifest goes last, so that after a crash a
/// snapshot that is there is whole.
pub async fn save(tree: &Tree, store: &dyn Store, base: Option<&Manifest>) -> Result<Digest, SnapshotError> {
    let known: HashSet<&Digest> =
        base.into_iter().flat_map(|base| base.files.values()).map(|entry| &entry.blob).collect();
    let new: BTreeMap<&Digest, &Blob> = tree
        .iter()
        .map(|(_, file)| (file.blob.digest(), &file.blob))
        .filter(|(digest, _)| !known.contains(digest))
        .collect();
    let puts: Vec<_> = new.into_values().map(|blob| store.put_blob(blob.bytes().clone())).collect();
    stream::iter(puts).buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await?;
    Ok(store.put_blob(tree.manifest().to_bytes().into()).await?)
}

/// The record of a stored tree.
pub async fn manifest(snapshot: &Digest, store: &dyn Store) -> Result<Manifest, SnapshotError> {
    let bytes = blob(snapshot, store).await?;
    let bad = |error| StoreError::Corrupt(format!("snapshot {snapshot} is not a manifest: {error}"));
    Ok(serde_json::from_slice(bytes.bytes()).map_err(bad)?)
}

/// Reads a stored tree back; each content is checked against its digest.
pub async fn load(snapshot: &Digest, store: &dyn Store, limits: Limits) -> Result<Tree, SnapshotError> {
    let manifest = manifest(snapshot, store).await?;
    let failed = |source| SnapshotError::Tree { snapshot: snapshot.clone(), source };
    let bytes = manifest.files.values().fold(0_u64, |sum, entry| sum.saturating_add(entry.size));
    if bytes > limits.bytes || manifest.files.len() > limits.files {
        let text = format!(
            "it holds {bytes} bytes in {} files; the limits are {} bytes and {} files",
            manifest.files.len(),
            limits.bytes,
            limits.files
        );
        return Err(failed(TreeError::TooLarge(text)));
    }
    let wanted: HashSet<Digest> = manifest.files.values().map(|entry| entry.blob.clone()).collect();
    let gets: Vec<_> = wanted.into_iter().map(async |digest| blob(&digest, store).await).collect();
    let blobs: Vec<Blob> = stream::iter(gets).buffer_unordered(AT_ONCE).try_collect().await?;
    let blobs: BTreeMap<&Digest, &Blob> = blobs.iter().map(|blob| (blob.digest(), blob)).collect();
    let mut tree = Tree::new(limits);
    for (path, entry) in &manifest.files {
        let path = TreePath::parse(path).map_err(failed)?;
        let blob = blobs.get(&entry.blob).expect("every content was read above");
        tree.put(path, (*blob).clone(), Some(entry.mode)).map_err(failed)?;
    }
    Ok(tree)
}

async fn blob(digest: &Digest, store: &dyn Store) -> Result<Blob, StoreError> {
    let bytes = store.get_blob(digest).await?;
    let bytes = bytes.ok_or_else(|| StoreError::Corrupt(format!("the content {digest} is missing")))?;
    let blob = Blob::new(bytes);
    match blob.digest() == digest {
        true => Ok(blob),
        false => Err(StoreError::Corrupt(format!("the content of {digest} is that of {}", blob.digest()))),
    }
}
