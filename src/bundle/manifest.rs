//! Reads `bundle.toml` and checks that every value makes sense.

use std::path::{Component, Path};

use ftuseg_router::{Organ, Target};
use serde::Deserialize;

use super::{
    Accuracy, Bundle, BundleError, Dice, InputKind, Int8, ModelScale, ModelSpec, Normalisation,
    OutputKind, RouterSpec, TrainingImages,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBundle {
    name: String,
    version: String,
    licence: String,
    description: Option<String>,
    training_images: Option<RawFile>,
    router: Option<RawRouter>,
    #[serde(default)]
    model: Vec<RawModel>,
}

/// A file that is no model.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    file: String,
    sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRouter {
    file: String,
    sha256: String,
    input: Option<String>,
    mean: Option<[f32; 3]>,
    std: Option<[f32; 3]>,
    output: OutputKind,
    tile: u32,
    mpp: f64,
    cell: u32,
    organs: Vec<Organ>,
    #[serde(default)]
    other: bool,
    limit: f32,
    fallback: String,
    parameters: Option<u64>,
    accuracy: Option<Accuracy>,
}

/// The manifest's word for what a model serves.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawRole {
    Organ,
    Baseline,
    Unet,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawModel {
    name: String,
    role: Option<RawRole>,
    organ: Option<Organ>,
    file: String,
    sha256: String,
    int8: Option<Int8>,
    weight: Option<f32>,
    input: Option<String>,
    mean: Option<[f32; 3]>,
    std: Option<[f32; 3]>,
    output: OutputKind,
    tile: u32,
    mpp: Option<f64>,
    fit: Option<String>,
    overlap: Option<u32>,
    threshold: Option<f32>,
    min_area: Option<f64>,
    min_area_um2: Option<f64>,
    fill_holes: Option<bool>,
    parameters: Option<u64>,
    #[serde(default)]
    dice: Vec<Dice>,
}

/// Parses and checks a manifest.
pub(super) fn parse(
    folder: &Path,
    path: &Path,
    text: &str,
    sha256: String,
) -> Result<Bundle, BundleError> {
    let raw: RawBundle = toml::from_str(text)
        .map_err(|error| BundleError::manifest(path, format!("not a valid manifest: {error}")))?;
    let wrong = |reason: String| BundleError::manifest(path, reason);
    let router = raw
        .router
        .map(|router| check_router(router).map_err(|e| wrong(format!("[router]: {e}"))))
        .transpose()?;
    let mut models: Vec<ModelSpec> = Vec::new();
    for model in raw.model {
        let name = model.name.clone();
        let model = check_model(model).map_err(|e| wrong(format!("[[model]] {name:?}: {e}")))?;
        if models.iter().any(|other| other.name == model.name) {
            return Err(wrong(format!("two models have the name {name:?}")));
        }
        if let Some(other) = models.iter().find(|other| other.target == model.target) {
            // Their probabilities are averaged, so what is done with the mean must be said in one way only.
            check_together(other, &model).map_err(|what| {
                wrong(format!(
                    "the models {:?} and {name:?} both serve {} and are averaged; {what}",
                    other.name, model.target
                ))
            })?;
        }
        // The router's order gives the organs their values in mask.tif.
        if let (Some(router), Some(organ)) = (&router, model.target.organ())
            && !router.organs.contains(&organ)
        {
            return Err(wrong(format!(
                "the model {name:?} is for {organ}, which [router].organs does not name"
            )));
        }
        models.push(model);
    }
    if models.is_empty() {
        return Err(wrong("it has no [[model]]".to_owned()));
    }
    let training_table = raw.training_images.map(|table| (table.file, table.sha256));
    if let Some((file, sum)) = &training_table {
        check_file(file)
            .and_then(|()| check_sum(sum))
            .map_err(|e| wrong(format!("training_images: {e}")))?;
    }
    Ok(Bundle {
        training_images: TrainingImages::default(),
        training_table,
        folder: folder.to_owned(),
        name: raw.name,
        version: raw.version,
        licence: raw.licence,
        description: raw.description,
        router,
        models,
        sha256,
    })
}

/// Whether two models of one target can be averaged.
fn check_together(a: &ModelSpec, b: &ModelSpec) -> Result<(), String> {
    let same = |what: &str, same: bool| {
        if same {
            Ok(())
        } else {
            Err(format!("give them the same {what}"))
        }
    };
    same("threshold", a.threshold == b.threshold)?;
    same("fill_holes", a.fill_holes == b.fill_holes)?;
    match (a.fit, b.fit) {
        (ModelScale::Mpp(one), ModelScale::Mpp(other)) => {
            let (one, other) = (a.min_area * one * one, b.min_area * other * other);
            // Areas are whole px at scales that differ, so they agree to a few percent at best.
            same(
                "min_area (in um2: px times mpp squared)",
                (one - other).abs() <= 0.05 * one.max(other),
            )
        }
        (ModelScale::Whole, ModelScale::Whole) => same(
            "tile and min_area",
            (a.tile, a.min_area) == (b.tile, b.min_area),
        ),
        _ => same("scale: all mpp, or all fit = \"whole\"", false),
    }
}

/// The smallest object, in px of the model's own scale, from either key.
fn check_min_area(px: Option<f64>, um2: Option<f64>, fit: ModelScale) -> Result<f64, String> {
    let (key, value, area) = match (px, um2, fit) {
        (Some(_), Some(_), _) => {
            return Err("min_area (in px) and min_area_um2 say the same; keep one".to_owned());
        }
        (_, Some(_), ModelScale::Whole) => {
            return Err(
                "min_area_um2 needs mpp; with fit = \"whole\" give min_area in px".to_owned(),
            );
        }
        (_, Some(um2), ModelScale::Mpp(mpp)) => ("min_area_um2", um2, um2 / (mpp * mpp)),
        (px, None, _) => ("min_area", px.unwrap_or(0.0), px.unwrap_or(0.0)),
    };
    if !(value >= 0.0 && area.is_finite()) {
        return Err(format!("{key} = {value} must be 0 or more"));
    }
    Ok(area)
}

/// A plain file name: it cannot lead out of the bundle's folder.
fn check_file(file: &str) -> Result<(), String> {
    let mut parts = Path::new(file).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(_)), None) if !file.contains(['/', '\\']) => Ok(()),
        _ => Err(format!(
            "file = {file:?} must be a file name without a folder"
        )),
    }
}

fn check_sum(sha256: &str) -> Result<(), String> {
    if sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(())
    } else {
        Err(format!("sha256 = {sha256:?} is not 64 hexadecimal digits"))
    }
}

fn check_tile(tile: u32) -> Result<(), String> {
    if (1..=8192).contains(&tile) {
        Ok(())
    } else {
        Err(format!("tile = {tile} must lie between 1 and 8192"))
    }
}

fn check_mpp(mpp: f64) -> Result<f64, String> {
    if mpp.is_finite() && (0.01..=1000.0).contains(&mpp) {
        Ok(mpp)
    } else {
        Err(format!("mpp = {mpp} must lie between 0.01 and 1000 um/px"))
    }
}

fn check_input(
    input: Option<&str>,
    mean: Option<[f32; 3]>,
    std: Option<[f32; 3]>,
) -> Result<InputKind, String> {
    match (input, mean, std) {
        (Some("uint8-nhwc"), None, None) => Ok(InputKind::Bytes),
        (Some("uint8-nhwc"), _, _) => {
            Err("input = \"uint8-nhwc\" normalises in the graph; remove mean and std".to_owned())
        }
        (None | Some("float-nchw"), Some(mean), Some(std)) => {
            let fine =
                mean.iter().chain(&std).all(|v| v.is_finite()) && std.iter().all(|&s| s > 0.0);
            if fine {
                Ok(InputKind::Floats(Normalisation { mean, std }))
            } else {
                Err("mean and std must be finite and std above 0".to_owned())
            }
        }
        (None | Some("float-nchw"), _, _) => Err(
            "says neither input = \"uint8-nhwc\" nor both mean = [r, g, b] and std = [r, g, b]"
                .to_owned(),
        ),
        (Some(other), _, _) => Err(format!(
            "input = {other:?} is unknown; use \"uint8-nhwc\", or mean and std"
        )),
    }
}

fn check_router(raw: RawRouter) -> Result<RouterSpec, String> {
    check_file(&raw.file)?;
    check_sum(&raw.sha256)?;
    check_tile(raw.tile)?;
    if raw.cell == 0 || raw.cell > raw.tile {
        return Err(format!("cell = {} must lie between 1 and tile", raw.cell));
    }
    if raw.organs.is_empty() {
        return Err("organs is empty".to_owned());
    }
    let mut seen = raw.organs.clone();
    seen.sort_unstable();
    seen.dedup();
    if seen.len() != raw.organs.len() {
        return Err("organs names an organ twice".to_owned());
    }
    if !(0.0..=1.0).contains(&raw.limit) {
        return Err(format!("limit = {} must lie between 0 and 1", raw.limit));
    }
    let fallback = match raw.fallback.as_str() {
        "baseline" => Target::Baseline,
        "unet" => Target::Unet,
        other => {
            return Err(format!(
                "fallback = {other:?} must be \"baseline\" or \"unet\""
            ));
        }
    };
    Ok(RouterSpec {
        input: check_input(raw.input.as_deref(), raw.mean, raw.std)?,
        mpp: check_mpp(raw.mpp)?,
        file: raw.file,
        sha256: raw.sha256,
        output: raw.output,
        tile: raw.tile,
        cell: raw.cell,
        organs: raw.organs,
        other: raw.other,
        limit: raw.limit,
        fallback,
        parameters: raw.parameters,
        accuracy: raw.accuracy,
    })
}

fn check_model(raw: RawModel) -> Result<ModelSpec, String> {
    if raw.name.is_empty() {
        return Err("name is empty".to_owned());
    }
    check_file(&raw.file)?;
    check_sum(&raw.sha256)?;
    check_tile(raw.tile)?;
    let target = match (raw.role, raw.organ) {
        (None | Some(RawRole::Organ), Some(organ)) => Target::Organ(organ),
        (None | Some(RawRole::Baseline), None) => Target::Baseline,
        (Some(RawRole::Unet), None) => Target::Unet,
        _ => {
            return Err("organ = \"...\" belongs to role = \"organ\", and to no other".to_owned());
        }
    };
    let fit = match (raw.mpp, raw.fit.as_deref()) {
        (Some(mpp), None) => ModelScale::Mpp(check_mpp(mpp)?),
        (None, Some("whole")) => ModelScale::Whole,
        (None, Some(other)) => return Err(format!("fit = {other:?} must be \"whole\"")),
        _ => return Err("must have exactly one of mpp = ... and fit = \"whole\"".to_owned()),
    };
    let overlap = raw.overlap.unwrap_or(match fit {
        ModelScale::Mpp(_) => raw.tile / 8,
        ModelScale::Whole => 0,
    });
    // At half a tile, every px is already seen by two tiles along each axis.
    if overlap > raw.tile / 2 {
        return Err(format!("overlap = {overlap} must be at most half of tile"));
    }
    let threshold = raw.threshold.unwrap_or(0.5);
    if !(threshold > 0.0 && threshold < 1.0) {
        return Err(format!("threshold = {threshold} must lie between 0 and 1"));
    }
    let weight = raw.weight.unwrap_or(1.0);
    if !(weight.is_finite() && weight > 0.0 && weight <= 1000.0) {
        return Err(format!(
            "weight = {weight} must lie above 0 and be at most 1000"
        ));
    }
    if let Some(int8) = &raw.int8 {
        check_file(&int8.file).map_err(|e| format!("int8: {e}"))?;
        check_sum(&int8.sha256).map_err(|e| format!("int8: {e}"))?;
    }
    let min_area = check_min_area(raw.min_area, raw.min_area_um2, fit)?;
    Ok(ModelSpec {
        input: check_input(raw.input.as_deref(), raw.mean, raw.std)?,
        name: raw.name,
        target,
        file: raw.file,
        sha256: raw.sha256,
        int8: raw.int8,
        weight,
        output: raw.output,
        tile: raw.tile,
        fit,
        overlap,
        threshold,
        min_area,
        fill_holes: raw.fill_holes.unwrap_or(false),
        parameters: raw.parameters,
        dice: raw.dice,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    fn load(model: &str) -> Result<Bundle, String> {
        let text = format!("name = \"t\"\nversion = \"1\"\nlicence = \"none\"\n{model}");
        parse(
            Path::new("b"),
            Path::new("b/bundle.toml"),
            &text,
            String::new(),
        )
        .map_err(|error| error.to_string())
    }

    fn model(lines: &str) -> String {
        format!("[[model]]\nname = \"m\"\nfile = \"m.onnx\"\nsha256 = \"{SUM}\"\n{lines}")
    }

    /// What DESIGN asks for: a plain PyTorch export needs five lines beside its name and sum.
    const PLAIN: &str = "mean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]\noutput = \"logit\"\ntile = 512\nmpp = 2.5";

    #[test]
    fn a_plain_export_needs_five_lines() {
        let bundle = load(&model(PLAIN)).unwrap();
        let model = &bundle.models[0];
        assert_eq!(model.target, Target::Baseline);
        assert_eq!(model.overlap, 64);
        assert!(matches!(model.input, InputKind::Floats(_)));
        assert_eq!(bundle.label(Target::Baseline), 255);
    }

    #[test]
    fn unknown_keys_are_named() {
        let error = load(&model(&format!("{PLAIN}\nthreshhold = 0.4"))).unwrap_err();
        assert!(error.contains("threshhold"), "{error}");
        let error = load("colour = 1").unwrap_err();
        assert!(error.contains("colour"), "{error}");
    }

    #[test]
    fn senseless_values_are_refused_and_say_which() {
        for (change, word) in [
            ("overlap = 300", "overlap"),
            ("threshold = 1.5", "threshold"),
            ("min_area = -1", "min_area"),
            ("min_area_um2 = -1", "min_area_um2"),
            ("min_area_um2 = nan", "min_area_um2"),
            ("min_area = 1\nmin_area_um2 = 16", "keep one"),
            ("fit = \"whole\"", "exactly one"),
            ("organ = \"liver\"", "liver"),
            ("role = \"organ\"", "organ"),
            ("input = \"uint8-nhwc\"", "mean and std"),
        ] {
            let error = load(&model(&format!("{PLAIN}\n{change}"))).unwrap_err();
            assert!(error.contains(word), "{change}: {error}");
        }
    }

    #[test]
    fn files_outside_the_folder_are_refused() {
        for file in ["../m.onnx", "/m.onnx", "a/b.onnx", "..", "", "a\\\\b.onnx"] {
            let text = model(PLAIN).replace("m.onnx", file);
            assert!(load(&text).is_err(), "{file}");
        }
    }

    #[test]
    fn several_models_of_one_target_must_agree_on_what_is_done_with_their_mean() {
        let two = |lines: &str| {
            let other = model(&format!("{PLAIN}\n{lines}")).replace("\"m\"", "\"n\"");
            load(&format!(
                "{}\n{other}",
                model(&format!("{PLAIN}\nmin_area = 100"))
            ))
        };
        let bundle = two("min_area = 100\nweight = 0.5").unwrap();
        let members = bundle.models_for(Target::Baseline);
        assert_eq!(members.len(), 2);
        assert_eq!((members[0].weight, members[1].weight), (1.0, 0.5));
        for (lines, word) in [
            ("min_area = 100\nthreshold = 0.4", "threshold"),
            ("min_area = 100\nfill_holes = true", "fill_holes"),
            ("min_area = 20", "min_area"),
            ("min_area = 100\nweight = 0", "weight"),
            ("min_area = 100\nweight = nan", "weight"),
        ] {
            let error = two(lines).unwrap_err();
            assert!(error.contains(word), "{lines}: {error}");
        }
    }

    #[test]
    fn the_same_area_in_um2_agrees_at_another_scale() {
        let other = model(&PLAIN.replace("2.5", "5.0")).replace("\"m\"", "\"n\"");
        let first = model(&format!("{PLAIN}\nmin_area = 100"));
        assert!(load(&format!("{first}\n{other}\nmin_area = 25")).is_ok());
        assert!(load(&format!("{first}\n{other}\nmin_area = 100")).is_err());
        let in_um2 = format!("{first}\n{other}\nmin_area_um2 = 625");
        assert_eq!(load(&in_um2).unwrap().models[1].min_area, 25.0);
        let whole = model(&PLAIN.replace("mpp = 2.5", "fit = \"whole\""));
        let error = load(&format!("{whole}\nmin_area_um2 = 625")).unwrap_err();
        assert!(error.contains("needs mpp"), "{error}");
    }

    #[test]
    fn an_int8_file_is_checked_like_the_model_itself() {
        let with = |file: &str, sum: &str| {
            load(&model(&format!(
                "{PLAIN}\nint8 = {{ file = \"{file}\", sha256 = \"{sum}\", loss = {{ dice = 0.002, n = 5, set = \"cores\" }} }}"
            )))
        };
        let bundle = with("m.int8.onnx", SUM).unwrap();
        let int8 = bundle.models[0].int8.as_ref().unwrap();
        assert_eq!(int8.loss.as_ref().unwrap().n, 5);
        for (file, sum) in [("../m.onnx", SUM), ("m.onnx", "abc")] {
            let error = with(file, sum).unwrap_err();
            assert!(error.contains("int8"), "{error}");
        }
    }
}
