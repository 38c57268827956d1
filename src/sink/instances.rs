//! `instances.ome.tif`: each px's object by its id, one plane a target, pyramidal, with the units and names in OME-XML.

use std::collections::BTreeMap;
use std::path::Path;

use ftuseg_router::Target;
use uuid::Uuid;

use super::{Sink, SinkError, SlideFindings, colour};
use crate::mask::Run;
use crate::slide::tiled_tiff::{LabelTiffOptions, TiledTiffError, write_labels};

/// Side of a tile, px.
const TILE: u32 = 256;
const SIDE: usize = TILE as usize;

/// Writes `instances.ome.tif`: 32-bit labels without a sign, 0 background, else the id of the object in `objects.csv`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Instances;

impl Sink for Instances {
    fn file_name(&self) -> &'static str {
        "instances.ome.tif"
    }

    fn write(&self, findings: &SlideFindings<'_>, path: &Path) -> Result<(), SinkError> {
        if findings.objects.len() > u64::from(u32::MAX) {
            return Err(SinkError::TooManyObjects {
                path: path.to_owned(),
                objects: findings.objects.len(),
            });
        }
        let grid = findings.segmentation.map.grid();
        let all = findings.objects.targets();
        let found: Vec<_> = all.iter().filter(|objects| objects.count > 0).collect();
        let names: Vec<Target> = found.iter().map(|objects| objects.target).collect();
        let options = LabelTiffOptions {
            width: grid.width(),
            height: grid.height(),
            planes: names.len().max(1),
            tile: TILE,
            mpp: findings.resolution().map(|r| (r.mpp, r.down)),
            description: ome_xml(findings, &names),
        };
        let levels = options.levels().len();
        let written = write_labels(path, &options, |file| {
            for (plane, objects) in found.iter().enumerate() {
                let put = |level: usize, tiles: Vec<(u32, u32, Vec<u32>)>| {
                    file.put(plane, level, &tiles).map_err(SinkError::Tiff)
                };
                let mut strips = Strips::new(levels, put);
                findings.objects.each_of(objects, |object| {
                    // Checked above.
                    strips.add(object.id as u32, object.polygon.runs())
                })?;
                strips.finish()?;
            }
            Ok(())
        });
        written.map_err(|error| match error {
            SinkError::Tiff(TiledTiffError::Io(cause)) => SinkError::io(path, cause),
            other => other,
        })
    }
}

/// Paints objects, which come in the order of their first rows, into a pyramid, of which it holds one row of tiles a level.
/// What objects reach beyond that is kept as runs.
struct Strips<Put> {
    put: Put,
    levels: Vec<Strip>,
    /// The id and the runs that lie below the present row of tiles, the topmost last.
    reaching: Vec<(u32, Vec<Run>)>,
}

/// A row of tiles that is being painted.
#[derive(Default)]
struct Strip {
    row: u32,
    /// By column. A tile without objects is not there.
    tiles: BTreeMap<u32, Vec<u32>>,
}

/// Tiles of a level: column, row and labels.
type Tiles = Vec<(u32, u32, Vec<u32>)>;

impl<Put: FnMut(usize, Tiles) -> Result<(), SinkError>> Strips<Put> {
    fn new(levels: usize, put: Put) -> Self {
        Strips {
            put,
            levels: (0..levels).map(|_| Strip::default()).collect(),
            reaching: Vec::new(),
        }
    }

    /// Paints an object.
    fn add(&mut self, id: u32, mut runs: Vec<Run>) -> Result<(), SinkError> {
        let Some(first) = runs.first() else {
            return Ok(());
        };
        self.go_to(first.y / TILE)?;
        runs.reverse();
        self.paint(id, &mut runs);
        if !runs.is_empty() {
            self.reaching.push((id, runs));
        }
        Ok(())
    }

    /// Paints the rest and hands over all that is left.
    fn finish(mut self) -> Result<(), SinkError> {
        while !self.reaching.is_empty() {
            self.go_to(self.levels[0].row + 1)?;
        }
        (0..self.levels.len()).try_for_each(|level| self.close(level))
    }

    /// Goes down to a row of tiles of the full size.
    fn go_to(&mut self, row: u32) -> Result<(), SinkError> {
        while self.levels[0].row < row {
            // Rows that nothing reaches are passed over.
            let next = match self.reaching.is_empty() {
                true => row,
                false => self.levels[0].row + 1,
            };
            self.enter(0, next)?;
            let mut reaching = std::mem::take(&mut self.reaching);
            for (id, runs) in &mut reaching {
                self.paint(*id, runs);
            }
            reaching.retain(|(_, runs)| !runs.is_empty());
            self.reaching = reaching;
        }
        Ok(())
    }

    /// Paints, of runs whose topmost is the last, those that lie in the present row of tiles, and takes them away.
    fn paint(&mut self, id: u32, runs: &mut Vec<Run>) {
        let strip = &mut self.levels[0];
        while let Some(run) = runs.pop_if(|run| run.y / TILE == strip.row) {
            let line = (run.y % TILE) as usize * SIDE;
            for column in run.start / TILE..=(run.end - 1) / TILE {
                let first = column * TILE;
                let from = (run.start.max(first) - first) as usize;
                let to = (run.end.min(first + TILE) - first) as usize;
                let tile = strip.tiles.entry(column);
                let tile = tile.or_insert_with(|| vec![0; SIDE * SIDE]);
                tile[line + from..line + to].fill(id);
            }
        }
    }

    /// Makes a row of tiles the present one of a level, once the one before is handed over.
    fn enter(&mut self, level: usize, row: u32) -> Result<(), SinkError> {
        if self.levels[level].row != row {
            self.close(level)?;
            self.levels[level].row = row;
        }
        Ok(())
    }

    /// Hands over the present row of tiles of a level, after every second px of every second row went to the next level.
    fn close(&mut self, level: usize) -> Result<(), SinkError> {
        let row = self.levels[level].row;
        let tiles = std::mem::take(&mut self.levels[level].tiles);
        if tiles.is_empty() {
            return Ok(());
        }
        if level + 1 < self.levels.len() {
            self.enter(level + 1, row / 2)?;
            for (&column, tile) in &tiles {
                let half = self.levels[level + 1].tiles.entry(column / 2);
                let half = half.or_insert_with(|| vec![0; SIDE * SIDE]);
                let corner =
                    (row % 2) as usize * SIDE * SIDE / 2 + (column % 2) as usize * SIDE / 2;
                for (down, line) in tile.chunks_exact(SIDE).step_by(2).enumerate() {
                    let to = &mut half[corner + down * SIDE..][..SIDE / 2];
                    for (to, from) in to.iter_mut().zip(line.iter().step_by(2)) {
                        *to = *from;
                    }
                }
            }
        }
        let tiles = tiles.into_iter();
        (self.put)(
            level,
            tiles.map(|(column, tile)| (column, row, tile)).collect(),
        )
    }
}

/// The OME-XML of the file, in ASCII. One channel a target, or one that says that nothing was found.
fn ome_xml(findings: &SlideFindings<'_>, targets: &[Target]) -> String {
    let grid = findings.segmentation.map.grid();
    let size = findings.resolution().map_or_else(String::new, |r| {
        format!(
            " PhysicalSizeX=\"{}\" PhysicalSizeXUnit=\"&#181;m\" PhysicalSizeY=\"{}\" PhysicalSizeYUnit=\"&#181;m\"",
            r.mpp, r.down
        )
    });
    let mut channels: Vec<String> = targets
        .iter()
        .enumerate()
        .map(|(place, &target)| {
            let [red, green, blue] = colour(target);
            // Red in the highest of four bytes, opaque in the lowest, as a number with a sign.
            let rgba = i32::from_be_bytes([red, green, blue, 255]);
            let name = target.name();
            format!(
                "<Channel ID=\"Channel:0:{place}\" Name=\"{name}\" SamplesPerPixel=\"1\" Color=\"{rgba}\"/>"
            )
        })
        .collect();
    if channels.is_empty() {
        channels.push(
            "<Channel ID=\"Channel:0:0\" Name=\"nothing found\" SamplesPerPixel=\"1\"/>".to_owned(),
        );
    }
    let count = channels.len();
    let planes: String = (0..count)
        .map(|place| {
            format!("<TiffData IFD=\"{place}\" FirstC=\"{place}\" FirstZ=\"0\" FirstT=\"0\" PlaneCount=\"1\"/>")
        })
        .collect();
    let namespace = "http://www.openmicroscopy.org/Schemas/OME/2016-06";
    // What the file is called within OME: the same for the same slide and the same objects' planes.
    let own = Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("ftuseg instances {} {targets:?}", findings.id).as_bytes(),
    );
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <OME xmlns=\"{namespace}\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xsi:schemaLocation=\"{namespace} {namespace}/ome.xsd\" UUID=\"urn:uuid:{own}\" Creator=\"ftuseg {version}\">\
         <Image ID=\"Image:0\" Name=\"{name}\">\
         <Pixels ID=\"Pixels:0\" DimensionOrder=\"XYCZT\" Type=\"uint32\" BigEndian=\"false\" Interleaved=\"false\" \
         SizeX=\"{width}\" SizeY=\"{height}\" SizeC=\"{count}\" SizeZ=\"1\" SizeT=\"1\"{size}>\
         {channels}{planes}</Pixels></Image></OME>",
        version = env!("CARGO_PKG_VERSION"),
        name = xml_text(findings.id),
        width = grid.width(),
        height = grid.height(),
        channels = channels.concat(),
    )
}

/// A text within XML, in ASCII. What XML cannot say becomes a question mark.
fn xml_text(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            ' '..='~' => out.push(letter),
            '\t' | '\n' | '\r' | '\u{80}'..='\u{fffd}' | '\u{10000}'.. => {
                out.push_str(&format!("&#{};", letter as u32));
            }
            _ => out.push('?'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Labels of `width` x `height` px as level after level of plain arrays, and what [`Strips`] makes of the objects.
    fn paint(
        width: u32,
        height: u32,
        objects: &[(u32, Vec<Run>)],
    ) -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
        let mut sizes = vec![(width, height)];
        while let Some(&(w, h)) = sizes.last()
            && w.max(h) > TILE
        {
            sizes.push((w.div_ceil(2), h.div_ceil(2)));
        }
        let mut full = vec![0; (width * height) as usize];
        for (id, runs) in objects {
            for run in runs {
                let line = (run.y * width) as usize;
                full[line + run.start as usize..line + run.end as usize].fill(*id);
            }
        }
        let expected: Vec<Vec<u32>> = sizes
            .iter()
            .enumerate()
            .map(|(level, &(w, h))| {
                let px = (0..h).flat_map(|y| (0..w).map(move |x| (x, y)));
                px.map(|(x, y)| full[((y << level) * width + (x << level)) as usize])
                    .collect()
            })
            .collect();
        let mut found: Vec<Vec<u32>> = sizes
            .iter()
            .map(|&(w, h)| vec![0; (w * h) as usize])
            .collect();
        let mut seen = std::collections::BTreeSet::new();
        let mut strips = Strips::new(sizes.len(), |level: usize, tiles: Tiles| {
            for (column, row, labels) in tiles {
                assert!(seen.insert((level, column, row)), "a tile came twice");
                let (w, h) = sizes[level];
                for (place, label) in (0..).zip(labels) {
                    let (x, y) = (column * TILE + place % TILE, row * TILE + place / TILE);
                    if x < w && y < h {
                        found[level][(y * w + x) as usize] = label;
                    }
                }
            }
            Ok(())
        });
        for (id, runs) in objects {
            strips.add(*id, runs.clone()).unwrap();
        }
        strips.finish().unwrap();
        (expected, found)
    }

    fn block(x: u32, y: u32, width: u32, height: u32) -> Vec<Run> {
        let run = |y| Run {
            y,
            start: x,
            end: x + width,
        };
        (y..y + height).map(run).collect()
    }

    #[test]
    fn every_level_is_every_second_px_of_the_one_before() {
        for objects in [
            vec![],
            vec![(1, block(0, 0, 1, 1))],
            // Over several rows of tiles, beside some that end earlier, with empty rows of tiles between.
            vec![
                (7, block(3, 2, 500, 700)),
                (8, block(600, 100, 30, 400)),
                (9, block(700, 255, 2, 2)),
                (4_000_000_000, block(650, 1020, 141, 30)),
            ],
        ] {
            let (expected, found) = paint(791, 1051, &objects);
            assert_eq!(expected.len(), 4);
            assert!(expected == found);
        }
    }

    #[test]
    fn texts_keep_within_xml() {
        assert_eq!(
            xml_text("a<b>&\"\u{b5}\u{1}\n"),
            "a&lt;b&gt;&amp;&quot;&#181;?&#10;"
        );
    }
}
