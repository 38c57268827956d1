//! The command under test: run with a limit of time, fed, watched, signalled, and asked what it said.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A command that takes longer hangs: a test fails then instead of never ending.
const LIMIT: Duration = Duration::from_secs(300);

/// A command to be run, with its arguments so far.
pub struct TestCommand {
    pub(super) command: Command,
    pub(super) input: Option<String>,
}

/// What a command did.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code.
    pub code: Option<i32>,
    /// What it printed on standard output.
    pub stdout: String,
    /// What it printed on standard error.
    pub stderr: String,
}

impl TestCommand {
    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Runs it in a folder below the scratch folder.
    pub fn within(mut self, folder: &str) -> Self {
        let scratch = self.command.get_current_dir().map(Path::to_owned);
        self.command
            .current_dir(scratch.unwrap_or_default().join(folder));
        self
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes away whatever could lead to an ONNX Runtime: `empty` must be an empty folder.
    pub fn without_runtime(mut self, empty: &Path) -> Self {
        for name in ["ORT_DYLIB_PATH", "VIRTUAL_ENV", "CONDA_PREFIX"] {
            self.command.env_remove(name);
        }
        self.env("FTUSEG_OFFLINE", "1")
            .env("FTUSEG_CACHE", empty)
            .env("PATH", empty)
    }

    /// The same command behind a line of shell, which sets a limit say.
    pub fn after(self, shell: &str) -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{shell}; exec \"$@\""), "sh"])
            .arg(self.command.get_program())
            .args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(folder) = self.command.get_current_dir() {
            command.current_dir(folder);
        }
        TestCommand { command, ..self }
    }

    /// Gives it something on standard input.
    pub fn input(mut self, text: &str) -> Self {
        self.input = Some(text.to_owned());
        self
    }

    /// Runs it. Panics when it does not end.
    pub fn run(self) -> Outcome {
        self.start().end()
    }

    /// Starts it.
    pub fn start(mut self) -> Running {
        // Files instead of pipes: a pipe that nobody reads would stop the command.
        let scratch = || tempfile::tempfile().unwrap();
        let (stdout, stderr) = (scratch(), scratch());
        let stdin = self.input.as_ref().map_or_else(Stdio::null, |text| {
            let mut file = scratch();
            file.write_all(text.as_bytes()).unwrap();
            file.rewind().unwrap();
            file.into()
        });
        let child = self
            .command
            .stdin(stdin)
            .stdout(stdout.try_clone().unwrap())
            .stderr(stderr.try_clone().unwrap())
            .spawn()
            .unwrap();
        Running {
            child,
            shown: format!("{:?}", self.command),
            stdout,
            stderr,
        }
    }

    /// Runs it and checks its exit code.
    pub fn ends_with(self, code: i32) -> Outcome {
        let shown = format!("{:?}", self.command);
        let outcome = self.run();
        assert_eq!(outcome.code, Some(code), "{shown}\n{outcome:#?}");
        outcome
    }
}

/// A command that runs. It is killed if the test ends before it.
pub struct Running {
    /// The process.
    pub child: std::process::Child,
    shown: String,
    stdout: File,
    stderr: File,
}

impl Running {
    /// Waits until something holds. Panics when the command ends or takes too long before that.
    pub fn wait_until(&mut self, holds: impl Fn(&str) -> bool) {
        let started = Instant::now();
        while !holds(&text(&self.stdout)) {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!(
                    "{} ended too early: {status}\n{}",
                    self.shown,
                    text(&self.stderr)
                );
            }
            assert!(started.elapsed() < LIMIT, "{} takes too long", self.shown);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for at most this long; whether it ended.
    pub fn ends_within(&mut self, limit: Duration) -> bool {
        let started = Instant::now();
        loop {
            if self.child.try_wait().unwrap().is_some() {
                return true;
            }
            if started.elapsed() >= limit {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1).min(limit));
        }
    }

    /// Sends a signal by its name.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end.
    pub fn end(mut self) -> Outcome {
        if !self.ends_within(LIMIT) {
            panic!("{} does not end", self.shown);
        }
        Outcome {
            code: self.child.wait().unwrap().code(),
            stdout: text(&self.stdout),
            stderr: text(&self.stderr),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is in a file so far. The file's place is shared with the process that writes it, so it is left alone.
fn text(file: &File) -> String {
    let mut bytes = vec![0; file.metadata().unwrap().len() as usize];
    #[cfg(unix)]
    std::os::unix::fs::FileExt::read_exact_at(file, &mut bytes, 0).unwrap();
    #[cfg(windows)]
    std::os::windows::fs::FileExt::seek_read(file, &mut bytes, 0).unwrap();
    String::from_utf8(bytes).unwrap()
}

impl Outcome {
    /// Checks that standard output says all of this.
    pub fn prints(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(
                self.stdout.contains(word),
                "{word:?} is missing:\n{}",
                self.stdout
            );
        }
        self
    }

    /// Checks that standard error says all of this.
    pub fn says(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(
                self.stderr.contains(word),
                "{word:?} is missing:\n{}",
                self.stderr
            );
        }
        self
    }
}
