//! Runs a subprocess that may hang, print without end or never close its pipes.

use std::io::{self, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Output kept of each of a child's two streams, in bytes; a stream that brings more is closed.
const KEPT: u64 = 1 << 20;
/// How long to wait for the end of the output once the child itself has ended: a grandchild may hold
/// the pipe open for ever.
const GRACE: Duration = Duration::from_millis(500);

/// How a child ended, and what it wrote.
pub(super) struct ProcessOutput {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// Why a child did not end by itself.
#[derive(Debug)]
pub(super) enum ChildError {
    /// The program could not be started.
    Start(io::Error),
    /// It ran longer than the limit, and was ended.
    TimedOut(Duration),
}

impl std::fmt::Display for ChildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Start(error) => write!(f, "could not be started: {error}"),
            Self::TimedOut(limit) => {
                write!(
                    f,
                    "did not answer within {} s and was killed",
                    limit.as_secs_f32()
                )
            }
        }
    }
}

/// Runs `command` with no standard input, for `limit` at most.
pub(super) fn run(command: &mut Command, limit: Duration) -> Result<ProcessOutput, ChildError> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(ChildError::Start)?;
    let stdout = Stream::read(child.stdout.take());
    let stderr = Stream::read(child.stderr.take());
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if start.elapsed() < limit => {
                thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(50));
            }
            ended => {
                // Both fail only where the child is gone already, which is what they are for.
                let _ = child.kill();
                let _ = child.wait();
                return Err(match ended {
                    Err(error) => ChildError::Start(error),
                    Ok(_) => ChildError::TimedOut(limit),
                });
            }
        }
    };
    let until = Instant::now() + GRACE;
    Ok(ProcessOutput {
        status,
        stdout: stdout.take(until),
        stderr: stderr.take(until),
    })
}

/// A pipe that a thread reads, so that a child is never stuck on a full one.
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    ended: Arc<AtomicBool>,
}

impl Stream {
    fn read(pipe: Option<impl Read + Send + 'static>) -> Self {
        let stream = Self {
            bytes: Arc::default(),
            ended: Arc::new(AtomicBool::new(pipe.is_none())),
        };
        if let Some(pipe) = pipe {
            let (bytes, ended) = (stream.bytes.clone(), stream.ended.clone());
            // The thread is not joined: it ends with the pipe, which a grandchild may hold open.
            thread::spawn(move || {
                let mut pipe = pipe.take(KEPT);
                let mut part = [0; 4096];
                while let Ok(count @ 1..) = pipe.read(&mut part) {
                    bytes
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .extend(part.iter().take(count));
                }
                ended.store(true, Ordering::Release);
            });
        }
        stream
    }

    fn take(self, until: Instant) -> Vec<u8> {
        while !self.ended.load(Ordering::Acquire) && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The last lines of what a program wrote, at most `limit` characters, without control characters.
pub(super) fn tail(bytes: &[u8], limit: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    let last = lines
        .get(lines.len().saturating_sub(3)..)
        .unwrap_or_default();
    let joined: String = last
        .join(" / ")
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let skip = joined.chars().count().saturating_sub(limit);
    joined
        .chars()
        .skip(skip)
        .collect::<String>()
        .trim()
        .to_owned()
}
