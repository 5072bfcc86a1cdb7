//! What a process uses, from `/proc`.

use std::time::{Duration, Instant};

use anyhow::Context as _;

/// The unit of times in `/proc/PID/stat`, fixed on Linux: USER_HZ.
const TICK: Duration = Duration::from_millis(10);

/// Between two sums over all mappings, which hold up the process for milliseconds where there are many.
const SUM_EVERY: Duration = Duration::from_millis(500);

#[derive(Default)]
pub(crate) struct Most {
    /// Its share of memory (PSS): what sandboxes have in common of a plugin is counted once. As it was at one of
    /// the looks.
    pub(crate) share_kib: u64,
    /// Resident memory, for which each mapping of a page counts. The kernel's own peak.
    pub(crate) resident_kib: u64,
    pub(crate) threads: u64,
    summed: Option<Instant>,
}

impl Most {
    pub(crate) fn look(&mut self, process: u32) -> anyhow::Result<()> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        self.resident_kib = self.resident_kib.max(field(&status, "VmHWM:")?);
        self.threads = self.threads.max(field(&status, "Threads:")?);
        if self.summed.is_none_or(|summed| summed.elapsed() >= SUM_EVERY) {
            let sums = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
            self.share_kib = self.share_kib.max(field(&sums, "Pss:")?);
            self.summed = Some(Instant::now());
        }
        Ok(())
    }
}

fn field(text: &str, name: &str) -> anyhow::Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).context("a field")?;
    Ok(line.split_whitespace().next().context("a number")?.parse()?)
}

/// User and system time of all its threads so far.
pub(crate) fn processor(process: u32) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name before it may hold blanks.
    let (_, fields) = stat.rsplit_once(')').context("a name")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |index: usize| anyhow::Ok(fields.get(index).context("a field")?.parse::<u32>()?);
    Ok(TICK * (ticks(11)? + ticks(12)?))
}
