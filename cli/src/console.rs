//! Prints everything that the command prints: control characters in names never reach the terminal, and a line that cannot
//! be written does not end the work.

use std::fmt::{Arguments, Display};
use std::io::{ErrorKind, Write};

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
    let lines: Vec<String> = text.split('\n').map(plain).collect();
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
