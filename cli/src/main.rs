//! The command `ftuseg`: parse, run, exit code.

fn main() -> std::process::ExitCode {
    ftuseg::memory::share_arenas();
    std::process::ExitCode::from(ftuseg::cli::run())
}
