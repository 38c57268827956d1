//! COCO JSON: one file for all slides, an annotation an object.
//!
//! The format is that of the data set of the same name (<https://cocodataset.org/#format-data>). An object's px are a
//! run-length encoding, which has holes and is exact; polygons can be asked for, which are exact but for their holes.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use ftuseg_files::whole::replace;
use ftuseg_mask::Polygon;
use ftuseg_router::{Organ, Target};
use serde_json::{Value, json};

use crate::{ExportError, Exported, ExportedObject, FinishedSlide, Replace, RunSlide};

/// How an annotation states its px.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segmentation {
    /// As compressed run-length encoding: exact, with holes.
    Rle,
    /// As polygon of the outer edge: COCO's polygons have no holes.
    Polygons,
}

/// Writes the slides' objects into the file `path`. Memory does not grow with their number.
///
/// # Errors
/// When a slide's files are missing or contradict each other, when a slide has more px than a run-length encoding can count,
/// when the file is there already or cannot be written.
pub fn write(
    slides: &[&RunSlide],
    path: &Path,
    segmentation: Segmentation,
    how: Replace,
) -> Result<Exported, ExportError> {
    how.check(path)?;
    if let Some(folder) = path.parent() {
        crate::output::make_folder(folder)?;
    }
    let mut failed = None;
    let mut done = Exported::default();
    let written = replace(path, |out| {
        let mut file = File {
            out,
            segmentation,
            annotations: 0,
            with_holes: 0,
            images: Vec::new(),
            targets: Organ::ALL.into_iter().map(Target::Organ).collect(),
        };
        file.fill(slides).map_err(|error| match error {
            ExportError::Write(error) => error.cause,
            other => {
                failed = Some(other);
                io::Error::other("a slide cannot be exported")
            }
        })?;
        done.slides = slides.len() as u64;
        done.objects = file.annotations;
        if file.with_holes > 0 {
            done.doubts.push(format!(
                "{} of {} objects have holes, which COCO's polygons cannot have: their polygons cover them, their areas do not",
                file.with_holes, file.annotations
            ));
        }
        Ok(())
    });
    match (failed, written) {
        (Some(error), _) => Err(error),
        (None, written) => Ok(written.map(|()| done)?),
    }
}

/// The file that is being written.
struct File<'a> {
    out: &'a mut dyn Write,
    segmentation: Segmentation,
    annotations: u64,
    with_holes: u64,
    images: Vec<Value>,
    /// Those that are a category.
    targets: BTreeSet<Target>,
}

impl File<'_> {
    fn fill(&mut self, slides: &[&RunSlide]) -> Result<(), ExportError> {
        let info = json!({
            "description": "functional tissue units found by ftuseg",
            "version": env!("CARGO_PKG_VERSION"),
        });
        self.text(&format!(
            "{{\"info\":{info},\n\"licenses\":[],\n\"annotations\":["
        ))?;
        for (place, slide) in slides.iter().enumerate() {
            self.slide(&slide.open()?, place as u64 + 1)?;
        }
        let categories: Vec<Value> = self.targets.iter().copied().map(category).collect();
        let images = std::mem::take(&mut self.images);
        self.text(&format!(
            "\n],\n\"images\":{},\n\"categories\":{}}}\n",
            Value::Array(images),
            Value::Array(categories)
        ))
    }

    fn slide(&mut self, slide: &FinishedSlide, image: u64) -> Result<(), ExportError> {
        let record = &slide.record;
        let (width, height) = (record.width, record.height);
        // Readers count px in 32 bits.
        if self.segmentation == Segmentation::Rle
            && u64::from(width) * u64::from(height) > u64::from(u32::MAX)
        {
            return Err(ExportError::TooManyPixels {
                path: slide.folder.clone(),
                width,
                height,
            });
        }
        let mut entry = json!({
            "id": image,
            "file_name": slide.file_name(),
            "width": width,
            "height": height,
            "slide": record.id,
        });
        if let Some((across, down)) = slide.mpp() {
            entry["um_per_px"] = json!([across, down]);
        }
        self.images.push(entry);
        let mut objects = slide.objects()?;
        let probability = objects
            .columns()
            .iter()
            .position(|column| column == "mean_probability");
        while let Some(object) = objects.next_object()? {
            let first = self.annotations == 0;
            self.annotations += 1;
            self.with_holes += u64::from(
                self.segmentation == Segmentation::Polygons && !object.polygon.holes.is_empty(),
            );
            self.targets.insert(object.target);
            let mut annotation = self.annotation(&object, image, (width, height));
            if let Some(probability) = probability.and_then(|place| object.fields[place].number()) {
                annotation["score"] = json!(probability);
            }
            self.text(if first { "\n" } else { ",\n" })?;
            self.text(&annotation.to_string())?;
        }
        Ok(())
    }

    fn annotation(&self, object: &ExportedObject, image: u64, size: (u32, u32)) -> Value {
        let bounds = object.bounds;
        json!({
            "id": self.annotations,
            "image_id": image,
            "category_id": category_id(object.target),
            "segmentation": match self.segmentation {
                Segmentation::Rle => json!({
                    "size": [size.1, size.0],
                    "counts": counts(&object.polygon, size),
                }),
                Segmentation::Polygons => json!([corners(&object.polygon)]),
            },
            "area": object.polygon.area,
            "bbox": [bounds.x, bounds.y, bounds.width, bounds.height],
            "iscrowd": 0,
            "object_id": object.id,
            "uuid": object.uuid,
        })
    }

    fn text(&mut self, text: &str) -> Result<(), ExportError> {
        let written = self.out.write_all(text.as_bytes());
        // The file's name is added by whoever opened it.
        written.map_err(|cause| ExportError::write(Path::new(""), cause))
    }
}

/// The number of a category: the organs from 1 in their usual order, then the networks for all organs.
fn category_id(target: Target) -> usize {
    let organs = Organ::ALL.into_iter().map(Target::Organ);
    let all = organs.chain([Target::Baseline, Target::Unet, Target::Other]);
    1 + all.take_while(|&other| other != target).count()
}

fn category(target: Target) -> Value {
    let unit = target.organ().map_or("FTU", Organ::ftu);
    // Two categories of one name would be one to most readers.
    let name = match target {
        Target::Unet => "FTU (unet)".to_owned(),
        _ => unit.to_owned(),
    };
    json!({ "id": category_id(target), "name": name, "supercategory": target.label() })
}

/// The outer ring as COCO wants it: x and y in turn, not closed.
fn corners(polygon: &Polygon) -> Vec<u32> {
    let ring = &polygon.exterior;
    ring[..ring.len() - 1].concat()
}

/// The run-length encoding as text: runs of background and object in turn down the columns, each as the difference to the
/// one before the last (from the fourth run on), in groups of five bits, the lowest first, with a sixth bit where more
/// follow, from `0` on in ASCII.
fn counts(polygon: &Polygon, (width, height): (u32, u32)) -> String {
    let mut runs: Vec<i64> = Vec::new();
    let mut end = 0_i64;
    for (x, rows) in polygon.column_runs() {
        let column = i64::from(x) * i64::from(height);
        let (from, to) = (column + i64::from(rows.start), column + i64::from(rows.end));
        match runs.last_mut() {
            // It goes on at the top of the next column.
            Some(last) if from == end => *last += to - from,
            _ => runs.extend([from - end, to - from]),
        }
        end = to;
    }
    let all = i64::from(width) * i64::from(height);
    if end < all {
        runs.push(all - end);
    }
    let mut text = String::new();
    for (place, &run) in runs.iter().enumerate() {
        let mut rest = match place {
            0..3 => run,
            _ => run - runs[place - 2],
        };
        loop {
            let low = (rest & 31) as u8;
            rest >>= 5;
            // The fifth bit is the sign.
            let is_last = match low & 16 {
                0 => rest == 0,
                _ => rest == -1,
            };
            let more = if is_last { 0 } else { 32 };
            text.push(char::from(48 + low + more));
            if is_last {
                break;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use ftuseg_mask::{Mask, polygons};

    use super::*;

    /// The runs of a text.
    fn decoded(text: &str) -> Vec<i64> {
        let mut runs: Vec<i64> = Vec::new();
        let mut letters = text.bytes();
        while letters.len() > 0 {
            let (mut value, mut shift) = (0_i64, 0);
            loop {
                let letter = i64::from(letters.next().unwrap()) - 48;
                value |= (letter & 31) << shift;
                shift += 5;
                if letter & 32 == 0 {
                    if letter & 16 != 0 {
                        value |= -1 << shift;
                    }
                    break;
                }
            }
            if runs.len() > 2 {
                value += runs[runs.len() - 2];
            }
            runs.push(value);
        }
        runs
    }

    #[test]
    fn counts_are_the_px_down_the_columns() {
        let (width, height) = (70, 50);
        // With a hole, to the corners, and with columns that touch from bottom to top.
        let shapes: [fn(u32, u32) -> bool; 4] = [
            |x, y| x == 0 && y == 0,
            |x, y| (10..40).contains(&x) && (5..45).contains(&y) && !(x == 20 && y == 20),
            |x, _| (30..33).contains(&x),
            |_, _| true,
        ];
        for shape in shapes {
            let mut mask = Mask::new(width, height).unwrap();
            for y in 0..height {
                for x in (0..width).filter(|&x| shape(x, y)) {
                    mask.set_row_run(y, x..x + 1);
                }
            }
            let found = polygons(&mask);
            assert_eq!(found.len(), 1);
            let runs = decoded(&counts(&found[0], (width, height)));
            let mut px = Vec::new();
            for (place, &run) in runs.iter().enumerate() {
                px.extend(std::iter::repeat_n(place % 2 == 1, run as usize));
            }
            let expected: Vec<bool> = (0..width)
                .flat_map(|x| (0..height).map(move |y| shape(x, y)))
                .collect();
            assert!(px == expected);
        }
    }

    #[test]
    fn categories_have_numbers_and_names_of_their_own() {
        let organs = Organ::ALL.into_iter().map(Target::Organ);
        let all: Vec<Value> = organs
            .chain([Target::Baseline, Target::Unet])
            .map(category)
            .collect();
        let ids: Vec<u64> = all.iter().map(|c| c["id"].as_u64().unwrap()).collect();
        assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7]);
        let names: BTreeSet<&str> = all.iter().map(|c| c["name"].as_str().unwrap()).collect();
        assert_eq!(names.len(), all.len());
    }
}
