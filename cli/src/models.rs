//! `ftuseg models`: what is in a bundle, and which bundles are installed.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::engine_args::EngineArgs;
use ftuseg::backend::Arithmetic;
use ftuseg::bundle::{
    Bundle, InputKind, ModelScale, ModelSpec, bundles_folder, default_bundle, install_bundle,
    installed_bundles,
};
use ftuseg::pipeline::{Network, Precision};

/// Arguments of `ftuseg models`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the models of the bundle with their accuracy
    List(EngineArgs),
    /// Compare the bundle's files with their sha256
    Verify(EngineArgs),
    /// Load each model of the bundle and describe it
    Inspect(EngineArgs),
    /// Install a bundle for yourself, so that it is found wherever you run ftuseg; all its files are checked first
    Install {
        /// The bundle's folder, or a .zip, .tar or .tar.gz with one bundle in it
        source: PathBuf,
    },
    /// List the bundles that are installed, and say which one is used where none is named
    Installed,
}

/// Runs the command and returns its exit code.
pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    match &args.what {
        What::List(engine) => list(&opened(engine)?),
        What::Verify(engine) => return Ok(verify(&opened(engine)?)),
        What::Inspect(engine) => inspect(engine, &opened(engine)?)?,
        What::Install { source } => install(source)?,
        What::Installed => installed(),
    }
    Ok(0)
}

/// The bundle, named on standard output.
fn opened(engine: &EngineArgs) -> anyhow::Result<Bundle> {
    let bundle = engine.load_bundle()?;
    say!(
        "{} {} ({}), {}",
        bundle.name,
        bundle.version,
        bundle.licence,
        bundle.folder.display()
    );
    Ok(bundle)
}

fn install(source: &Path) -> anyhow::Result<()> {
    let bundles = bundles_folder().context(
        "there is no home folder to install bundles in; name a folder for ftuseg's data in the variable FTUSEG_DATA",
    )?;
    let installed = install_bundle(source, &bundles)?;
    say!(
        "installed {} {} in {}",
        installed.name,
        installed.version,
        installed.folder.display()
    );
    match default_bundle() {
        Ok(folder) if folder == installed.folder => {}
        // Another one comes first, or several are installed and none is the default.
        _ => say!("use it with --bundle {}", installed.folder_name()),
    }
    Ok(())
}

fn installed() {
    for bundle in installed_bundles() {
        say!(
            "{} {}  {}",
            bundle.name,
            bundle.version,
            bundle.folder.display()
        );
    }
    match default_bundle() {
        Ok(folder) => say!("used where none is named: {}", folder.display()),
        Err(error) => say!("used where none is named: none ({error})"),
    }
}

fn list(bundle: &Bundle) {
    if let Some(router) = &bundle.router {
        let accuracy = router.accuracy.as_ref().map_or(String::new(), |a| {
            format!(", right {:.3} (n = {}, {})", a.value, a.n, a.set)
        });
        say!(
            "router  {}: {} um/px, cells of {} um{accuracy}",
            router.file,
            router.mpp,
            f64::from(router.cell) * router.mpp
        );
    }
    for model in &bundle.models {
        say!("{}  {}: {}", model.name, model.file, dice(model));
    }
}

fn dice(model: &ModelSpec) -> String {
    if model.dice.is_empty() {
        return "no Dice stated".to_owned();
    }
    let all: Vec<String> = model
        .dice
        .iter()
        .map(|d| format!("{} {:.3} (n = {})", d.organ.label(), d.mean, d.n))
        .collect();
    format!("Dice {}", all.join(", "))
}

fn verify(bundle: &Bundle) -> u8 {
    let mut code = 0;
    for (file, sum) in bundle.files() {
        match bundle.verified_file(file, sum) {
            Ok(bytes) => say!("{file}: good, {:.1} MB", bytes.len() as f64 / 1e6),
            Err(error) => {
                say!("{file}: BAD: {error}");
                code = super::SOME_FAILED;
            }
        }
    }
    code
}

fn inspect(engine: &EngineArgs, bundle: &Bundle) -> anyhow::Result<()> {
    let backend = engine.start_backend(Arithmetic::Fp32)?;
    for model in &bundle.models {
        Network::model(backend.as_ref(), bundle, model, Precision::Fp32)?;
        say!("{}: loads in {}", model.name, backend.about().backend);
        say!("  serves      {}", model.target);
        say!(
            "  scale       {}",
            match model.fit {
                ModelScale::Mpp(mpp) => format!("{mpp} um/px"),
                ModelScale::Whole => "the whole slide in one tile".to_owned(),
            }
        );
        say!(
            "  tile        {} px, overlap {} px",
            model.tile,
            model.overlap
        );
        say!(
            "  input       {}",
            match model.input {
                InputKind::Bytes => "RGB bytes, normalised in the graph".to_owned(),
                InputKind::Floats(n) => format!("floats, mean {:?}, std {:?}", n.mean, n.std),
            }
        );
        say!(
            "  decision    {:?} from {}, objects from {}, holes {}",
            model.output,
            model.threshold,
            match model.fit {
                ModelScale::Mpp(mpp) => format!("{:.0} um2", model.min_area * mpp * mpp),
                ModelScale::Whole => format!("{:.0} px", model.min_area),
            },
            if model.fill_holes { "filled" } else { "kept" }
        );
        say!("  weight      {}", model.weight);
        if let Some(int8) = &model.int8 {
            Network::model(backend.as_ref(), bundle, model, Precision::Int8)?;
            let loss = int8.loss.as_ref().map_or("no loss stated".to_owned(), |l| {
                format!("loses {:.4} of Dice (n = {}, {})", l.dice, l.n, l.set)
            });
            say!("  int8        {}: loads too, {loss}", int8.file);
        }
        say!("  {}", dice(model));
    }
    if let Some(router) = &bundle.router {
        Network::router(backend.as_ref(), bundle, router)?;
        say!("router: loads in {}", backend.about().backend);
    }
    Ok(())
}
