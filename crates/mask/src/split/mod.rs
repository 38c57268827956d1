//! Splits objects that touch, by the distance of their px from the edge.
//!
//! Two round objects that touch make one object with a neck. The distance from the edge has a peak in each of the two and
//! a saddle in the neck, and the watershed of the distance runs through the neck. Peaks that are not clearly two are
//! taken as one, so a bulge or a rough edge splits nothing. (Watershed of the distance transform: Vincent and Soille
//! 1991; a peak that gives way by its height over the saddle: Grimaud's dynamics, 1992, here relative to the peak.)

mod distance;
mod flood;

use super::objects::{Objects, each_object};
use super::{Mask, Object, Run};

/// Two parts are two objects if their neck is narrower than this share of the smaller part's width.
const NECK: f64 = 0.7;

/// A part whose half width is fewer cells of the grid than this is never an object of its own.
const SMALLEST_RADIUS: f64 = 2.0;

/// The largest grid of one object, in cells; a cell takes up to 25 bytes while its object is split. Larger objects get
/// larger cells.
const MOST_CELLS: u64 = 1 << 22;

/// Splits objects (4-connected) that touch, and returns how many more there are then.
///
/// Two parts of an object become two if the neck between them is narrower than 0.7 of the smaller part's
/// width, and if each has at least `min_area_px` px. A cut is a line of background, 1 px wide, so the parts are
/// objects of their own to all that looks at the mask later. A hole's edge is an edge like any other.
///
/// The widths are measured on a grid of `cell_px` px (at least 1): what is smaller than that is not looked at. Memory
/// follows the largest object's bounding box, and is bounded by a coarser grid for the largest: about 100 MB.
pub fn split_touching(mask: &mut Mask, cell_px: u32, min_area_px: u64) -> usize {
    let (mut more, mut cuts) = (0, Vec::new());
    each_object(mask, |runs| {
        let grid = Grid::of(&runs, cell_px.max(1));
        let Some(labels) = grid.labels(min_area_px) else {
            return;
        };
        let (cut, parts) = cut(&runs, &grid, &labels);
        if parts > 1 {
            more += parts - 1;
            cuts.extend(cut);
        }
    });
    mask.put_runs(cuts, false);
    more
}

/// The cells that an object's bounding box is divided into, with a rim of one empty cell.
struct Grid {
    /// A cell's side in px.
    cell: u32,
    /// The px in the first row and column that is not rim.
    left: u32,
    top: u32,
    width: usize,
    /// Which cells hold a px of the object, row after row.
    inside: Vec<bool>,
}

impl Grid {
    fn of(runs: &[Run], cell: u32) -> Self {
        let bounds = Object::of(runs).bounds();
        let sides = |cell: u32| {
            (
                bounds.width.div_ceil(cell) + 2,
                bounds.height.div_ceil(cell) + 2,
            )
        };
        let mut cell = cell;
        while u64::from(sides(cell).0) * u64::from(sides(cell).1) > MOST_CELLS {
            cell *= 2;
        }
        let (width, height) = (sides(cell).0 as usize, sides(cell).1 as usize);
        let mut grid = Grid {
            cell,
            left: bounds.x,
            top: bounds.y,
            width,
            inside: vec![false; width * height],
        };
        for run in runs {
            let row = grid.row(run.y);
            let (first, last) = (grid.column(run.start), grid.column(run.end - 1));
            grid.inside[row + first..=row + last].fill(true);
        }
        grid
    }

    /// Where the row of cells that holds a px's row begins.
    fn row(&self, y: u32) -> usize {
        ((y - self.top) / self.cell + 1) as usize * self.width
    }

    /// The column of cells that holds a px's column.
    fn column(&self, x: u32) -> usize {
        ((x - self.left) / self.cell + 1) as usize
    }

    /// The part that each cell belongs to; `None` if the object is one.
    fn labels(&self, min_area_px: u64) -> Option<Vec<u32>> {
        let squares = distance::squared(&self.inside, self.width);
        let rule = flood::Rule {
            neck: NECK,
            radius: SMALLEST_RADIUS,
            area: min_area_px.div_ceil(u64::from(self.cell) * u64::from(self.cell)),
        };
        flood::basins(&squares, self.width, &rule)
    }
}

/// The px that part an object along the borders of its labels, and how many parts are left.
fn cut(runs: &[Run], grid: &Grid, labels: &[u32]) -> (Vec<Run>, usize) {
    let pieces = by_label(runs, grid, labels);
    let mut gone = lines(&pieces);
    // A border that winds can cut off a few px: they belong to no part.
    let mut kept: Vec<(u32, Run)> = Vec::new();
    {
        let mut lines = gone.iter().peekable();
        for (label, run) in &pieces {
            let mut start = run.start;
            while let Some(line) = lines.next_if(|line| (line.y, line.start) < (run.y, run.end)) {
                if start < line.start {
                    kept.push((
                        *label,
                        Run {
                            y: run.y,
                            start,
                            end: line.start,
                        },
                    ));
                }
                start = line.end;
            }
            if start < run.end {
                kept.push((
                    *label,
                    Run {
                        y: run.y,
                        start,
                        end: run.end,
                    },
                ));
            }
        }
    }
    kept.sort_by_key(|&(label, run)| (label, run.y, run.start));
    let mut parts = 0;
    for label in kept.chunk_by(|one, two| one.0 == two.0) {
        let objects = Objects::of_shapes([label.iter().map(|&(_, run)| run)]);
        let largest = (0..objects.len())
            .rev()
            .max_by_key(|&index| objects.get(index).map(|object| object.area()));
        parts += 1;
        for (index, object) in objects.iter().enumerate() {
            if Some(index) != largest {
                gone.extend(object.runs());
            }
        }
    }
    (gone, parts)
}

/// The runs, cut where the label changes: in order, each with its label.
fn by_label(runs: &[Run], grid: &Grid, labels: &[u32]) -> Vec<(u32, Run)> {
    let mut pieces: Vec<(u32, Run)> = Vec::with_capacity(runs.len());
    for &Run { y, start, end } in runs {
        let row = grid.row(y);
        let mut from = start;
        while from < end {
            let label = labels[row + grid.column(from)];
            // On to the first cell with another label.
            let mut to = from;
            while to < end && labels[row + grid.column(to)] == label {
                let next = grid.left + (grid.column(to) as u32) * grid.cell;
                to = next.min(end);
            }
            pieces.push((
                label,
                Run {
                    y,
                    start: from,
                    end: to,
                },
            ));
            from = to;
        }
    }
    pieces
}

/// The px that have a px of a higher label to their left or right, above or below; in order, and none in two pieces.
fn lines(pieces: &[(u32, Run)]) -> Vec<Run> {
    let rows: Vec<&[(u32, Run)]> = pieces.chunk_by(|one, two| one.1.y == two.1.y).collect();
    let mut found: Vec<Run> = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        let y = row[0].1.y;
        let near = |other: Option<usize>| {
            let other = rows.get(other?)?;
            (other[0].1.y.abs_diff(y) == 1).then_some(*other)
        };
        for (index, &(label, run)) in row.iter().enumerate() {
            let mut columns = Vec::new();
            let before = index.checked_sub(1).map(|before| row[before]);
            if before.is_some_and(|(other, next)| next.end == run.start && other > label) {
                columns.push((run.start, run.start + 1));
            }
            let after = row.get(index + 1);
            if after.is_some_and(|&(other, next)| next.start == run.end && other > label) {
                columns.push((run.end - 1, run.end));
            }
            for other in [near(place.checked_sub(1)), near(Some(place + 1))]
                .into_iter()
                .flatten()
            {
                let from = other.partition_point(|(_, next)| next.end <= run.start);
                for &(next_label, next) in other[from..]
                    .iter()
                    .take_while(|(_, next)| next.start < run.end)
                {
                    if next_label > label {
                        columns.push((next.start.max(run.start), next.end.min(run.end)));
                    }
                }
            }
            columns.sort_unstable();
            let own = found.len();
            for (start, end) in columns {
                match found[own..].last_mut() {
                    Some(Run { end: until, .. }) if start <= *until => *until = end.max(*until),
                    _ => found.push(Run { y, start, end }),
                }
            }
        }
    }
    found
}
