//! Prints everything that the command prints: control characters in names never reach the terminal, and a line that cannot
//! be written does not end the work.

use std::fmt::{Arguments, Display};
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

/// Whether `--verbose` was given.
static VERBOSE: AtomicBool = AtomicBool::new(false);

/// Notes whether `--verbose` was given.
pub(super) fn be_verbose(verbose: bool) {
    VERBOSE.store(verbose, Ordering::Relaxed);
}

/// Whether `--verbose` was given.
pub(super) fn is_verbose() -> bool {
    VERBOSE.load(Ordering::Relaxed)
}

/// Columns of the terminal that standard output is; none where it is none.
pub(super) fn columns_of_output() -> Option<u16> {
    let stdout = std::io::stdout();
    stdout.is_terminal().then_some(())?;
    terminal_size::terminal_size_of(stdout).map(|(width, _)| width.0)
}

/// Whether standard output, or standard error, shows colours: a terminal that knows them, and no NO_COLOR.
fn shows_colours(on_output: bool) -> bool {
    static BOTH: OnceLock<[bool; 2]> = OnceLock::new();
    let both = BOTH.get_or_init(|| {
        [
            AutoStream::choice(&std::io::stderr()) != ColorChoice::Never,
            AutoStream::choice(&std::io::stdout()) != ColorChoice::Never,
        ]
    });
    both[usize::from(on_output)]
}

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default();
const BOLD: Style = Style::new().bold();

/// A printable line for standard error, with its telling word in colour where colours are shown.
pub(super) fn painted(line: &str) -> String {
    match shows_colours(false) {
        true => paint(line),
        false => line.to_owned(),
    }
}

fn paint(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    let (blanks, words) = line.split_at(indent);
    for (word, style) in [
        ("error:", RED),
        ("warning:", YELLOW),
        ("WARNING:", YELLOW),
        ("note:", CYAN),
    ] {
        if let Some(rest) = words.strip_prefix(word) {
            return format!("{blanks}{style}{word}{style:#}{rest}");
        }
    }
    line.replacen(": FAILED", &format!(": {RED}FAILED{RED:#}"), 1)
}

/// A table for standard output: its header bold, what failed in red, where colours are shown.
pub(super) fn painted_table(table: &str) -> String {
    if !shows_colours(true) {
        return table.to_owned();
    }
    let mut lines: Vec<String> = table.lines().map(str::to_owned).collect();
    if let Some(header) = lines.first_mut() {
        *header = format!("{BOLD}{header}{BOLD:#}");
    }
    for line in &mut lines {
        *line = line.replacen(" FAILED", &format!(" {RED}FAILED{RED:#}"), 1);
        *line = line.replacen(", unsure", &format!(", {YELLOW}unsure{YELLOW:#}"), 1);
    }
    lines.join("\n")
}

/// A count with its word.
pub(super) fn counted(count: impl Into<u64>, word: &str) -> String {
    let count = count.into();
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// A time for people: `12 s`, `3 min`, `2 h 5 min`.
pub(super) fn duration(seconds: f64) -> String {
    let seconds = seconds.clamp(0.0, 1e9) as u64;
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// Some of many names: at most three, and how many more there are.
pub(super) fn some_of(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| printable(name))
        .collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Prints a line on standard output. A reader that went away, `head` say, is no reason to fall over; anything else ends
/// the program, for the line may be what was asked for, and half of it is worse than an error.
pub(super) fn print_line(words: Arguments<'_>) {
    if let Err(error) = put_line(&plain(&words.to_string())) {
        tell_line(format_args!("error: {}", unwritten(&error)));
        std::process::exit(super::SOME_FAILED.into());
    }
}

/// Prints a line on standard error. Where that is closed or full, nobody listens, and the work goes on. Advice may have
/// further lines, which are set in, so that none passes for a line of its own.
pub(super) fn tell_line(words: Arguments<'_>) {
    let text = words.to_string();
    let lines: Vec<String> = text.split('\n').map(|line| painted(&plain(line))).collect();
    let _ = writeln!(std::io::stderr(), "{}", lines.join("\n  "));
}

/// An error about a file, whose name may hold anything.
pub(super) fn about(path: &std::path::Path, error: &dyn Display) -> String {
    let name = path.display().to_string();
    error.to_string().replace(&name, &printable(&name))
}

/// Writes a line to standard output as it is. A reader that went away is no error.
pub(super) fn put_line(line: &dyn Display) -> std::io::Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// What is said when standard output takes no more.
pub(super) fn unwritten(error: &std::io::Error) -> String {
    format!("cannot write to standard output: {error}")
}

/// A text with nothing in it that a terminal would obey: a file's name may hold anything.
pub(super) fn printable(text: &str) -> String {
    escape(text, |_| false)
}

/// A line of our own, whose tabs are columns.
fn plain(line: &str) -> String {
    escape(line, |letter| letter == '\t')
}

fn escape(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if (letter.is_control() || turns_text(letter)) && !is_kept(letter) {
            out.extend(letter.escape_default());
        } else {
            out.push(letter);
        }
    }
    out
}

/// Letters that turn the direction of what follows, or break lines.
fn turns_text(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An error with its causes, each once: most say their cause themselves.
pub(super) fn chain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_speak_to_the_terminal() {
        assert_eq!(
            printable("a\nb\x1b[31mc\u{9b}d\u{202e}\t"),
            "a\\nb\\u{1b}[31mc\\u{9b}d\\u{202e}\\t"
        );
        assert_eq!(printable("切片 ä.tif"), "切片 ä.tif");
        assert_eq!(plain("a\tb\r\n"), "a\tb\\r\\n");
    }

    #[test]
    fn telling_words_are_painted_and_names_are_not() {
        assert_eq!(paint("error: x"), "\x1b[1m\x1b[31merror:\x1b[0m x");
        assert_eq!(paint("  warning: x"), "  \x1b[33mwarning:\x1b[0m x");
        assert_eq!(
            paint("[1/2] a: FAILED: b: FAILED"),
            "[1/2] a: \x1b[1m\x1b[31mFAILED\x1b[0m: b: FAILED"
        );
        assert_eq!(paint("an error: x"), "an error: x");
    }

    #[test]
    fn numbers_and_times_agree_with_their_words() {
        assert_eq!(counted(1_u64, "object"), "1 object");
        assert_eq!(counted(0_u64, "object"), "0 objects");
        for (seconds, text) in [
            (0.4, "0 s"),
            (59.9, "59 s"),
            (60.0, "1 min"),
            (3600.0, "1 h"),
            (7500.0, "2 h 5 min"),
            (-1.0, "0 s"),
            (f64::NAN, "0 s"),
        ] {
            assert_eq!(duration(seconds), text);
        }
        assert_eq!(some_of(&["a", "b", "c"]), "a, b, c");
        assert_eq!(some_of(&["a", "b", "c", "d\n", "e"]), "a, b, c and 2 more");
    }

    #[test]
    fn a_cause_stands_once() {
        let missing = || std::io::Error::from_raw_os_error(2);
        let own = anyhow::Error::new(ftuseg::batch::BatchError::Input {
            path: "x.svs".into(),
            cause: missing(),
        });
        assert_eq!(chain(&own), own.to_string());
        let outer = anyhow::Error::new(missing()).context("cannot make the folder x");
        assert_eq!(chain(&outer), format!("{outer:#}"));
    }
}
