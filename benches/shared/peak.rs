//! The largest resident memory of a process.

/// `VmHWM` of a process in MiB, by its number or `self` (proc(5) of Linux); `None` where the system does not tell.
pub fn peak_mib(process: &str) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
