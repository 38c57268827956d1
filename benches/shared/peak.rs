//! The largest resident memory of a process, and what it holds now.

/// `VmHWM` of a process in MiB, by its number or `self` (proc(5) of Linux); `None` where the system does not tell.
pub fn peak_mib(process: &str) -> Option<f64> {
    status_mib(process, "VmHWM:")
}

/// What this process holds now, MiB, and from now on [`peak_mib`] speaks of what comes. `None` where the system does not do
/// that.
#[allow(dead_code, reason = "several benches share the file")]
pub fn forget_peak() -> Option<f64> {
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    status_mib("self", "VmRSS:")
}

fn status_mib(process: &str, name: &str) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
