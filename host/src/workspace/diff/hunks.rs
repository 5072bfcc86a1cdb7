//! The hunks of one file's patch.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::time::Instant;

use similar::{Algorithm, DiffOp, DiffTag};

/// Lines shown around a change; what `git diff` shows.
const CONTEXT: usize = 3;

pub(super) struct Hunks<'a> {
    old: Vec<&'a str>,
    new: Vec<&'a str>,
    ops: Vec<DiffOp>,
}

impl<'a> Hunks<'a> {
    /// After `until` the rest of the file counts as replaced.
    pub(super) fn between(old: &'a str, new: &'a str, until: Instant) -> Self {
        let (old, new) = (lines(old), lines(new));
        // Comparing numbers is faster than comparing lines, and long equal lines are common.
        let mut numbers = HashMap::new();
        let mut number = |line: &&'a str| {
            let next = numbers.len();
            *numbers.entry(*line).or_insert(next)
        };
        let old_numbers: Vec<usize> = old.iter().map(&mut number).collect();
        let new_numbers: Vec<usize> = new.iter().map(&mut number).collect();
        let ops =
            similar::capture_diff_slices_deadline(Algorithm::Myers, &old_numbers, &new_numbers, Some(until));
        Self { old, new, ops }
    }

    /// Lines added and removed.
    pub(super) fn counts(&self) -> (u64, u64) {
        let changed = self.ops.iter().filter(|op| op.tag() != DiffTag::Equal);
        changed.fold((0, 0), |(added, removed), op| {
            (added + op.new_range().len() as u64, removed + op.old_range().len() as u64)
        })
    }

    pub(super) fn write(self, patch: &mut String) -> std::fmt::Result {
        for hunk in similar::group_diff_ops(self.ops, CONTEXT) {
            let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { continue };
            let old = first.old_range().start..last.old_range().end;
            let new = first.new_range().start..last.new_range().end;
            writeln!(patch, "@@ -{} +{} @@", range(&old), range(&new))?;
            for op in &hunk {
                if op.tag() == DiffTag::Equal {
                    push(patch, ' ', &self.old[op.old_range()]);
                } else {
                    push(patch, '-', &self.old[op.old_range()]);
                    push(patch, '+', &self.new[op.new_range()]);
                }
            }
        }
        Ok(())
    }
}

/// Only `\n` ends a line, as for git: a lone carriage return is content.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn push(patch: &mut String, sign: char, lines: &[&str]) {
    for line in lines {
        patch.push(sign);
        patch.push_str(line);
        if !line.ends_with('\n') {
            patch.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// `start,count` from 1; a count of 1 is left out, and an empty range names the line before it.
fn range(lines: &Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        count => format!("{},{count}", lines.start + 1),
    }
}
