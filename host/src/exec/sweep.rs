//! Removing what a command left, whatever it is.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Removes a folder that nobody uses any more, in which `pile` is not taken.
///
/// A command may nest a hundred thousand folders in one another. Going down into them takes a stack
/// frame, an open file or a longer path for each; so each is moved up into one flat pile instead.
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    let pile = folder.join("pile");
    fs::create_dir(&pile)?;
    let mut moved = 0_u64;
    clear(folder, Some(&pile), &pile, &mut moved)?;
    // Reading a folder while it changes may miss an entry: the last look finds none.
    loop {
        let mut seen = false;
        for entry in fs::read_dir(&pile)? {
            let path = entry?.path();
            seen = true;
            clear(&path, None, &pile, &mut moved)?;
            fs::remove_dir(&path)?;
        }
        if !seen {
            break;
        }
    }
    fs::remove_dir(&pile)?;
    fs::remove_dir(folder)
}

/// Removes a folder's files, and moves its folders (but for one) to the pile.
fn clear(folder: &Path, but: Option<&Path>, pile: &Path, moved: &mut u64) -> io::Result<()> {
    loop {
        let mut seen = false;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            if but == Some(&path) {
                continue;
            }
            seen = true;
            if entry.file_type()?.is_dir() {
                // A folder that moves has its own entry `..` written.
                fs::set_permissions(&path, Permissions::from_mode(0o700))?;
                fs::rename(&path, pile.join(moved.to_string()))?;
                *moved += 1;
            } else {
                fs::remove_file(&path)?;
            }
        }
        if !seen {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_depth_and_no_rights_keep_a_folder() {
        let outside = tempfile::tempdir().expect("a folder");
        fs::write(outside.path().join("kept"), "").expect("written");
        let home = tempfile::tempdir().expect("a folder").keep();
        let work = home.join("work");
        fs::create_dir_all(work.join("locked/inner")).expect("made");
        fs::write(work.join("locked/inner/file"), "").expect("written");
        symlink(outside.path(), work.join("locked/inner/out")).expect("linked");
        symlink("nowhere", work.join("dangling")).expect("linked");
        for name in ["pile", "0", "1"] {
            fs::create_dir_all(work.join(name).join("0/pile")).expect("made");
        }
        // As deep as a path can say, then that much again.
        let deep = "d/".repeat(1_900);
        fs::create_dir_all(work.join(&deep)).expect("made");
        fs::rename(work.join("d"), home.join("lower")).expect("moved");
        fs::create_dir_all(work.join(&deep)).expect("made");
        fs::rename(home.join("lower"), work.join(&deep).join("d")).expect("moved");
        fs::set_permissions(work.join("locked/inner"), Permissions::from_mode(0o0)).expect("changed");
        fs::set_permissions(work.join("locked"), Permissions::from_mode(0o0)).expect("changed");

        remove(&home).expect("removed");
        assert!(!home.exists());
        assert!(outside.path().join("kept").exists());
    }
}
