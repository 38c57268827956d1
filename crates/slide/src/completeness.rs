//! Checks that all files of a slide are there, and refuses one that lacks some: it would be a preview, or have holes.

use std::path::{Path, PathBuf};

use super::SlideError;
use super::dicom::{Instance, contradicts_its_codestream, instance};
use super::slide_files::{has_extension, is_mirax, is_name, may_be_dicom, same_series, values};

/// The name of something in a slide's folder that is neither a file nor a folder, if there is one: to open it may be to
/// wait for ever, and OpenSlide opens all.
fn unplain_beside(slide: &Path) -> Option<std::ffi::OsString> {
    let folder = slide
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut names: Vec<_> = std::fs::read_dir(folder.unwrap_or(Path::new(".")))
        .ok()?
        .filter_map(Result::ok)
        .filter(|entry| {
            let meta = std::fs::metadata(entry.path());
            meta.is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
        })
        .map(|entry| entry.file_name())
        .collect();
    names.sort();
    names.into_iter().next()
}

/// The file itself; or what it links to, where its other parts lie there and not beside the link.
pub(super) fn with_its_parts(slide: &Path) -> PathBuf {
    let own = || slide.to_owned();
    let is_of_parts = is_mirax(slide) || has_extension(slide, &["vms", "vmu"]);
    if !slide.is_symlink() || !(is_of_parts || may_be_dicom(slide)) || check_complete(slide).is_ok()
    {
        return own();
    }
    match slide.canonicalize() {
        // A store that keeps files under other names has no folder of this name.
        Ok(target) if has_kind_of(&target, slide) && check_complete(&target).is_ok() => target,
        _ => own(),
    }
}

fn has_kind_of(file: &Path, other: &Path) -> bool {
    let kind = |file: &Path| file.extension().map(std::ffi::OsStr::to_ascii_lowercase);
    kind(file) == kind(other)
}

/// Refuses a slide of several files of which some are missing: what is left is a preview, or a slide with holes.
///
/// # Errors
/// When a file or folder that the slide needs is not there, or a DICOM file belongs to no slide.
pub(super) fn check_complete(slide: &Path) -> Result<(), SlideError> {
    if let Some(reason) = missing(slide) {
        let link = if slide.is_symlink() {
            "; this is a link, and the other parts are neither next to it nor next to what it links to"
        } else {
            ""
        };
        return Err(SlideError::format(slide, format!("{reason}{link}")));
    }
    let Some(own) = instance(slide) else {
        return Ok(());
    };
    if let Some(other) = unplain_beside(slide) {
        return Err(SlideError::format(
            slide,
            format!(
                "{} in its folder is a pipe, a device or the like, and all files there are looked at for a DICOM slide; \
                 move it away",
                other.to_string_lossy()
            ),
        ));
    }
    let beside = same_series(slide, &own.series).map_err(|source| SlideError::io(slide, source))?;
    let all: Vec<(PathBuf, Instance)> = beside
        .into_iter()
        .chain(std::iter::once((slide.to_owned(), own)))
        .collect();
    let wrong = |(file, instance): &&(PathBuf, Instance)| {
        instance.is_level() && contradicts_its_codestream(file, instance)
    };
    if let Some((file, _)) = all.iter().find(wrong) {
        return Err(SlideError::format(
            slide,
            format!(
                "{} says that JPEG 2000's transform made its colours (YBR_ICT or YBR_RCT), and its pictures say that none \
                 did, so its colours would come out wrong; convert the slide anew with the right Photometric \
                 Interpretation",
                file.file_name().unwrap_or_default().to_string_lossy()
            ),
        ));
    }
    let all: Vec<Instance> = all.into_iter().map(|(_, instance)| instance).collect();
    let levels = all.iter().filter(|instance| instance.is_level());
    let Some(largest) = levels.max_by_key(|i| (i.columns, !i.is_reduced())) else {
        return Err(SlideError::format(
            slide,
            format!(
                "its series has no level of the slide in this folder, only a label, an overview, a thumbnail or something made of it ({}); put \
                 all files of the series into one folder",
                all[0].image_type.join("\\")
            ),
        ));
    };
    if largest.is_reduced() {
        return Err(SlideError::format(
            slide,
            format!(
                "its series lacks the largest level: of the {} file{} in this folder the largest is {} px wide and a \
                 reduced copy ({}); put all files of the series into one folder",
                all.len(),
                if all.len() == 1 { "" } else { "s" },
                largest.columns,
                largest.image_type.join("\\")
            ),
        ));
    }
    Ok(())
}

/// What is missing of a MIRAX, VMS or VMU slide, in words; none where all is there or it is another kind of slide.
fn missing(slide: &Path) -> Option<String> {
    if is_mirax(slide) {
        let folder = slide.with_extension("");
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        if !folder.is_dir() {
            return Some(format!(
                "its folder {name}/ is missing, which holds the pixels of a MIRAX slide (this file is at most a preview); \
                 copy the folder next to it, under this name"
            ));
        }
        let index = folder.join("Slidedat.ini");
        if !index.is_file() {
            return Some(format!(
                "{name}/Slidedat.ini is missing, which describes the slide"
            ));
        }
        let lacks = values(&index)
            .into_iter()
            .filter(|(key, _)| key == "INDEXFILE" || is_numbered(key))
            .find(|(_, file)| is_name(file) && !folder.join(file).is_file());
        return lacks
            .map(|(_, file)| format!("{name}/{file} is missing, which holds a part of the slide"));
    }
    if has_extension(slide, &["vms", "vmu"]) {
        let lacks = values(slide)
            .into_iter()
            .filter(|(key, _)| key.starts_with("ImageFile") || key == "MapFile")
            .find(|(_, file)| is_name(file) && !slide.with_file_name(file).is_file());
        return lacks
            .map(|(_, file)| format!("its picture {file} is missing; copy it next to this file"));
    }
    None
}

/// Whether a key is one of MIRAX's `FILE_0`, `FILE_1` and so on.
fn is_numbered(key: &str) -> bool {
    let number = key.strip_prefix("FILE_").unwrap_or("");
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files_beside;

    #[test]
    fn what_is_missing_is_named() {
        let foreign =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/slides/foreign");
        let work = tempfile::tempdir().unwrap();
        let at = |name: &str| work.path().join(name);
        let reason = |slide: &str| {
            let slide = with_its_parts(&at(slide));
            check_complete(&slide)
                .map_err(|error| error.to_string())
                .err()
        };
        // A preview without its folder, then with one part after the other.
        std::fs::write(at("case.mrxs"), [0xff, 0xd8, 0xff]).unwrap();
        assert!(reason("case.mrxs").unwrap().contains("case/ is missing"));
        std::fs::create_dir(at("case")).unwrap();
        for part in ["Slidedat.ini", "Index.dat", "Data0000.dat"] {
            let found = reason("case.mrxs").unwrap();
            assert!(
                found.contains(&format!("case/{part} is missing")),
                "{found}"
            );
            std::fs::copy(foreign.join("mirax").join(part), at("case").join(part)).unwrap();
        }
        assert_eq!(reason("case.mrxs"), None);
        // VMS and its pictures.
        std::fs::write(
            at("x.vms"),
            "ImageFile=a.jpg\nImageFile(1,0)=b.jpg\nMapFile=c.jpg\nMacroImage=m.jpg\n",
        )
        .unwrap();
        for part in ["a.jpg", "b.jpg", "c.jpg"] {
            let found = reason("x.vms").unwrap();
            assert!(
                found.contains(&format!("picture {part} is missing")),
                "{found}"
            );
            std::fs::write(at(part), "x").unwrap();
        }
        assert_eq!(reason("x.vms"), None);
        // A series without its largest level.
        std::fs::copy(foreign.join("dicom/level-1.dcm"), at("b.dcm")).unwrap();
        let found = reason("b.dcm").unwrap();
        assert!(found.contains("lacks the largest level"), "{found}");
        std::fs::copy(foreign.join("dicom/level-0.dcm"), at("a.dcm")).unwrap();
        assert_eq!(reason("b.dcm"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_slide_of_parts_finds_them_or_says_so() {
        use std::os::unix::fs::symlink;
        let foreign =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/slides/foreign");
        let work = tempfile::tempdir().unwrap();
        let at = |name: &str| work.path().join(name);
        let target = foreign.join("mirax.mrxs").canonicalize().unwrap();
        symlink(&target, at("patient.mrxs")).unwrap();
        assert_eq!(with_its_parts(&at("patient.mrxs")), target);
        assert_eq!(files_beside(&at("patient.mrxs")).unwrap().len(), 3);
        // A store that keeps the file alone.
        std::fs::write(at("sha256-aa"), "").unwrap();
        symlink(at("sha256-aa"), at("lost.mrxs")).unwrap();
        let lost = with_its_parts(&at("lost.mrxs"));
        assert_eq!(lost, at("lost.mrxs"));
        let error = check_complete(&lost).unwrap_err().to_string();
        assert!(
            error.contains("lost/ is missing") && error.contains("this is a link"),
            "{error}"
        );
        symlink(foreign.join("dicom/level-1.dcm"), at("one.dcm")).unwrap();
        assert!(check_complete(&at("one.dcm")).is_err());
        let whole = foreign.join("dicom/level-1.dcm").canonicalize().unwrap();
        assert_eq!(with_its_parts(&at("one.dcm")), whole);
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_waited_for_beside_a_dicom_slide() {
        let drawn =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/slides/foreign/dicom");
        let work = tempfile::tempdir().unwrap();
        let slide = work.path().join("a.dcm");
        std::fs::copy(drawn.join("level-0.dcm"), &slide).unwrap();
        let pipe = work.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if !made.is_ok_and(|status| status.success()) {
            println!("skipped: no mkfifo here");
            return;
        }
        let error = check_complete(&slide).unwrap_err().to_string();
        assert!(error.contains("pipe in its folder"), "{error}");
        std::fs::remove_file(&pipe).unwrap();
        assert!(check_complete(&slide).is_ok());
    }
}
