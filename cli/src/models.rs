//! `ftuseg models`: what is in a bundle.

use clap::ValueEnum;

use super::engine_args::EngineArgs;
use ftuseg::backend::Arithmetic;
use ftuseg::bundle::{Bundle, InputKind, ModelScale, ModelSpec};
use ftuseg::pipeline::{Network, Precision};

/// Arguments of `ftuseg models`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// list the models; verify their sha256; or inspect them: verify, load and describe
    #[arg(value_enum)]
    what: What,
    #[command(flatten)]
    engine: EngineArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    List,
    Verify,
    Inspect,
}

/// Runs the command and returns its exit code.
pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let bundle = args.engine.load_bundle()?;
    say!(
        "{} {} ({}), {}",
        bundle.name,
        bundle.version,
        bundle.licence,
        bundle.folder.display()
    );
    match args.what {
        What::List => list(&bundle),
        What::Verify => return Ok(verify(&bundle)),
        What::Inspect => inspect(args, &bundle)?,
    }
    Ok(0)
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
        .map(|d| format!("{} {:.3} (n = {})", d.organ, d.mean, d.n))
        .collect();
    format!("Dice {}", all.join(", "))
}

fn files(bundle: &Bundle) -> impl Iterator<Item = (&str, &str)> {
    let router = bundle
        .router
        .iter()
        .map(|r| (r.file.as_str(), r.sha256.as_str()));
    router.chain(bundle.models.iter().flat_map(|m| {
        let int8 = m.int8.iter().map(|i| (i.file.as_str(), i.sha256.as_str()));
        std::iter::once((m.file.as_str(), m.sha256.as_str())).chain(int8)
    }))
}

fn verify(bundle: &Bundle) -> u8 {
    let mut code = 0;
    for (file, sum) in files(bundle) {
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

fn inspect(args: &Args, bundle: &Bundle) -> anyhow::Result<()> {
    let backend = args.engine.start_backend(Arithmetic::Fp32)?;
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
