//! The command `ftuseg`: parse, run, exit code.

fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(ftuseg::cli::run())
}
