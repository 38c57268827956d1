//! The program `ftuseg`.

fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(ftuseg_cli::run(std::env::args_os()))
}
