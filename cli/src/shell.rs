//! `ftuseg completions` and `ftuseg man`: what shells and `man` know of the command, made from its arguments.

use std::path::PathBuf;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use super::engine_args::make_folder;

/// Where each shell looks.
const PLACES: &str = "\
Examples:
  ftuseg completions bash > ~/.local/share/bash-completion/completions/ftuseg
  ftuseg completions zsh > ~/.zfunc/_ftuseg      (with fpath+=~/.zfunc in ~/.zshrc)
  ftuseg completions fish > ~/.config/fish/completions/ftuseg.fish";

/// Arguments of `ftuseg completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = PLACES)]
pub(super) struct CompletionArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Arguments of `ftuseg man`.
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Folder for the pages of all commands, such as ~/.local/share/man/man1 [default: print ftuseg's own]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Prints the completions of a shell.
pub(super) fn completions(args: &CompletionArgs) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "ftuseg", &mut script);
    print(&script)
}

/// Prints the manual page of the command, or writes one for it and each of its subcommands.
pub(super) fn man(args: &ManArgs) -> anyhow::Result<u8> {
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page)?;
        return print(&page);
    };
    make_folder(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)
        .with_context(|| format!("the pages cannot be written into {}", folder.display()))?;
    say!(
        "manual pages in {}; try: man {}",
        folder.display(),
        folder.join("ftuseg.1").display()
    );
    Ok(0)
}

/// Prints a text whose control characters are its own.
fn print(text: &[u8]) -> anyhow::Result<u8> {
    let text = String::from_utf8_lossy(text);
    super::console::put_line(&text.trim_end()).context("cannot write to standard output")?;
    Ok(0)
}
