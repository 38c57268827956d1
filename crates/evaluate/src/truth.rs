//! Reads the truth: Kaggle's table with RLE, or a table that names mask files.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ftuseg_router::Organ;

use super::{ClassError, Classes, EvaluateError, mask_file};
use ftuseg_files::table::{Table, said};
use ftuseg_mask::{Mask, rle};
use ftuseg_slide::mask_image::{LabelMask, check_size};

/// The truth of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// The image's id.
    pub id: String,
    /// Its organ, if the table says.
    pub organ: Option<Organ>,
    /// um per px, if the table says.
    pub mpp: Option<f64>,
    /// Width and height in px, if the table says.
    pub size: Option<(u32, u32)>,
    /// Whether its row is one of the HuBMAP + HPA 2022 challenge's.
    pub(super) of_challenge: bool,
    source: Source,
}

#[derive(Debug, Clone, PartialEq)]
enum Source {
    Rle(String),
    File(PathBuf),
}

/// A row or an image that cannot be scored, and why.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ImageProblem {
    /// The image's id.
    pub id: String,
    /// What is wrong with it.
    pub reason: String,
    /// Whether choosing the classes that count would help. No part of the report.
    #[serde(skip)]
    pub needs_classes: bool,
}

impl ImageProblem {
    /// A problem that a sentence says.
    pub(super) fn new(id: &str, reason: impl Into<String>) -> Self {
        ImageProblem {
            id: id.to_owned(),
            reason: reason.into(),
            needs_classes: false,
        }
    }

    /// A problem that an error says.
    pub(super) fn of(id: &str, error: &EvaluateError) -> Self {
        let needs_classes = matches!(
            error,
            EvaluateError::Classes {
                reason: ClassError::Unknown { .. },
                ..
            }
        );
        ImageProblem {
            needs_classes,
            ..ImageProblem::new(id, error.to_string())
        }
    }
}

impl Truth {
    /// The mask.
    ///
    /// # Errors
    /// When the RLE does not fit the image, or the mask's file cannot be read.
    pub fn mask(&self) -> Result<Mask, EvaluateError> {
        Ok(self.read(&Classes::default())?.mask)
    }

    /// The mask with its objects, and what of the file does not count. `classes` chooses among a GeoJSON file's polygons.
    ///
    /// # Errors
    /// When the RLE does not fit the image, or the mask's file cannot be read, has no sure meaning or another size than
    /// the table says.
    pub fn read(&self, classes: &Classes) -> Result<LabelMask, EvaluateError> {
        let wrong = |reason: String| EvaluateError::format(Path::new(&self.id), reason);
        if let Some((width, height)) = self.size {
            check_size(width, height).map_err(wrong)?;
        }
        match (&self.source, self.size) {
            (Source::Rle(text), Some((width, height))) => {
                Ok(rle::decode(text, width, height)?.into())
            }
            (Source::Rle(_), None) => {
                Err(wrong("an RLE needs img_width and img_height".to_owned()))
            }
            (Source::File(path), size) => {
                let read = mask_file::read(path, size, classes)?;
                let found = (read.mask.width(), read.mask.height());
                match size.filter(|&size| size != found) {
                    Some((width, height)) => Err(EvaluateError::format(
                        path,
                        format!(
                            "it is {} x {} px, but the table says {width} x {height} px",
                            found.0, found.1
                        ),
                    )),
                    None => Ok(read),
                }
            }
        }
    }
}

/// Reads a table, with any of the separators and encodings that people's programs write, with a column `id` and either `rle`, `img_width`, `img_height` (Kaggle's `train.csv`) or `mask`, a file
/// relative to the table's folder. `organ` and `mpp` or `pixel_size` are read where they are there. Rows that make no
/// sense are named, and the others are returned.
///
/// # Errors
/// When the table cannot be read, lacks a column or has no row.
pub fn read_truth(path: &Path) -> Result<(Vec<Truth>, Vec<ImageProblem>), EvaluateError> {
    let wrong = |reason: String| EvaluateError::format(path, reason);
    let table = Table::read(path, "id").map_err(wrong)?;
    let find = |name: &str| table.column(name).map_err(wrong);
    let id = find("id")?.ok_or_else(|| wrong("it has no column id".to_owned()))?;
    let (rle, mask) = (find("rle")?, find("mask")?);
    if rle.is_none() && mask.is_none() {
        return Err(wrong(
            "it has neither a column rle (with img_width and img_height) nor a column mask"
                .to_owned(),
        ));
    }
    let size = (find("img_width")?, find("img_height")?);
    if mask.is_none() && (size.0.is_none() || size.1.is_none()) {
        return Err(wrong(
            "an RLE needs the columns img_width and img_height".to_owned(),
        ));
    }
    let data_source = find("data_source")?;
    let (organ, mpp) = (find("organ")?, find("mpp")?.or(find("pixel_size")?));
    let folder = path.parent().unwrap_or(Path::new(""));
    let (mut truths, mut problems, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    let number_of = table.numbers();
    for (line, mut row) in table.into_rows() {
        // Taken out, since it may be very long.
        let runs = rle.map(|column| std::mem::take(&mut row[column]));
        let field = |index: Option<usize>| {
            let text = index.map_or("", |index| row[index].as_str());
            (!text.is_empty()).then_some(text)
        };
        let known = |index: Option<usize>| field(index).and_then(said);
        let name = field(Some(id)).unwrap_or("").to_owned();
        let is_new = seen.insert(name.clone());
        let parse = || -> Result<Truth, String> {
            if name.is_empty() {
                return Err(format!("line {line}: the id is empty"));
            }
            if !is_new {
                return Err(format!("line {line}: the id is listed a second time"));
            }
            let number = |index, what: &str| -> Result<Option<u32>, String> {
                let Some(text) = known(index) else {
                    return Ok(None);
                };
                let bad = || format!("line {line}: {what} is {text:?}, not a number of px");
                text.parse().map(Some).map_err(|_| bad())
            };
            let (width, height) = (number(size.0, "img_width")?, number(size.1, "img_height")?);
            let source = match (known(mask), runs) {
                (Some(file), _) => Source::File(folder.join(file)),
                (None, Some(runs)) => Source::Rle(runs),
                (None, None) => return Err(format!("line {line}: no mask is named")),
            };
            Ok(Truth {
                id: name.clone(),
                organ: known(organ)
                    .map(|text| {
                        text.parse::<Organ>()
                            .map_err(|e| format!("line {line}: {e}"))
                    })
                    .transpose()?,
                mpp: known(mpp)
                    .map(|text| {
                        let value = number_of.number(text);
                        let value = value.filter(|v| v.is_finite() && *v > 0.0);
                        value.ok_or_else(|| format!("line {line}: {text:?} is not a um/px"))
                    })
                    .transpose()?,
                size: width.zip(height),
                of_challenge: is_of_challenge(&name, known(data_source)),
                source,
            })
        };
        match parse() {
            Ok(truth) => truths.push(truth),
            Err(reason) => problems.push(ImageProblem::new(&name, reason)),
        }
    }
    if truths.is_empty() && problems.is_empty() {
        return Err(wrong("it has no row".to_owned()));
    }
    Ok((truths, problems))
}

/// Whether a row is of the challenge's table: the challenge numbers its images, and names one of two sources for each.
fn is_of_challenge(id: &str, source: Option<&str>) -> bool {
    let numbered = (1..=5).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    numbered && source.is_some_and(|name| ["HPA", "Hubmap"].contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<(Vec<Truth>, Vec<ImageProblem>), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, text).unwrap();
        read_truth(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn kaggles_table_is_read_and_bad_rows_are_named() {
        let (truths, problems) = table(
            "id,organ,img_height,img_width,pixel_size,rle\n1,lung,4,5,0.4,1 3\n1,lung,4,5,0.4,1 3\n2,liver,4,5,0.4,\n3,,4,x,,\n4,kidney,4,5,,\n",
        )
        .unwrap();
        assert_eq!(truths.len(), 2);
        assert_eq!(truths[0].mask().unwrap().count(), 3);
        assert_eq!((truths[0].mpp, truths[0].size), (Some(0.4), Some((5, 4))));
        assert!(truths[1].mask().unwrap().is_empty());
        let reasons: Vec<_> = problems.iter().map(|p| p.reason.as_str()).collect();
        for (reason, word) in reasons.iter().zip(["second time", "liver", "img_width"]) {
            assert!(reason.contains(word), "{reason}");
        }
        assert_eq!(problems.len(), 3);
    }

    #[test]
    fn a_table_without_what_is_needed_is_refused() {
        for (text, word) in [
            ("name\n1\n", "column id"),
            ("id\n1\n", "rle"),
            ("id,rle\n1,1 2\n", "img_width"),
            ("id,mask\n", "no row"),
        ] {
            let error = table(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn tables_of_all_programs_are_read() {
        let utf16 = "id;img_height;img_width;pixel_size;rle\n1;4;5;0,4;1 3\n";
        let utf16: Vec<u8> = utf16.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let tables: [&[u8]; 5] = [
            b"id;img_height;img_width;pixel_size;rle\n1;4;5;0,4;1 3\n",
            b"ID\tIMG_HEIGHT\tImg_Width\tpixel_size\tRLE\n1\t4\t5\t0.4\t1 3\n",
            b"\xef\xbb\xbfid,organ,img_height,img_width,pixel_size,rle\r\n1,nan,4,5,0.4,1 3\r\n,,,,,\r\n",
            &[&[0xff, 0xfe][..], &utf16].concat(),
            &utf16,
        ];
        for text in tables {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("t.csv");
            std::fs::write(&path, text).unwrap();
            let (truths, problems) = read_truth(&path).unwrap();
            assert_eq!(
                (truths.len(), problems.len()),
                (1, 0),
                "{}",
                text.escape_ascii()
            );
            assert_eq!((truths[0].mpp, truths[0].size), (Some(0.4), Some((5, 4))));
            assert_eq!(truths[0].mask().unwrap().count(), 3);
        }
        assert!(
            table("id,ID,rle,img_width,img_height\n")
                .unwrap_err()
                .contains("two columns")
        );
    }

    #[cfg(unix)]
    #[test]
    fn nothing_of_the_truth_is_waited_for_or_read_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink("/dev/zero", at("zero")).unwrap();
        let pipe = std::process::Command::new("mkfifo")
            .arg(at("pipe"))
            .status();
        let mut names = vec!["zero"];
        if pipe.is_ok_and(|status| status.success()) {
            names.push("pipe");
        }
        for name in names {
            let error = read_truth(&at(name)).unwrap_err().to_string();
            assert!(error.contains("not a plain file"), "{error}");
            for mask in ["mask.png", "mask.tif", "mask.geojson"] {
                let _ = std::fs::remove_file(at(mask));
                std::os::unix::fs::symlink(at(name), at(mask)).unwrap();
                let row = format!("id,img_width,img_height,mask\n1,5,5,{mask}\n");
                std::fs::write(at("t.csv"), row).unwrap();
                let (truths, _) = read_truth(&at("t.csv")).unwrap();
                let error = truths[0].mask().unwrap_err().to_string();
                assert!(error.contains("not a plain file"), "{mask}: {error}");
            }
            let error = super::super::Prediction::open(&at(name)).unwrap_err();
            assert!(error.to_string().contains("pipe or device"), "{error}");
            let slide = ftuseg_slide::open(&at(name)).err().unwrap().to_string();
            assert!(slide.contains("not a regular file"), "{slide}");
        }
    }

    #[test]
    fn an_rle_that_does_not_fit_is_an_error_of_its_image() {
        let (truths, _) = table("id,img_height,img_width,rle\n1,4,5,20 3\n2,4,5,1\n").unwrap();
        assert!(truths[0].mask().is_err() && truths[1].mask().is_err());
    }
}
