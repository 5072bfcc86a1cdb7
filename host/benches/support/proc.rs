//! What a process uses, from `/proc`.

use std::time::Duration;

use anyhow::Context as _;

/// The unit of times in `/proc/PID/stat`, fixed on Linux: USER_HZ.
const TICK: Duration = Duration::from_millis(10);

#[derive(Default)]
pub(crate) struct Most {
    /// The kernel's own peak, so that nothing between two looks is missed.
    pub(crate) resident_kib: u64,
    pub(crate) threads: u64,
}

impl Most {
    pub(crate) fn look(&mut self, process: u32) -> anyhow::Result<()> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).context("a field")?;
            Ok::<u64, anyhow::Error>(line.split_whitespace().next().context("a number")?.parse()?)
        };
        self.resident_kib = self.resident_kib.max(field("VmHWM:")?);
        self.threads = self.threads.max(field("Threads:")?);
        Ok(())
    }
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
