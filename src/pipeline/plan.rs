//! Plans the tiles of one target: its views of the slide, and which of their tiles are needed, in which order.

use ftuseg_router::{OrganMap, Target};

use crate::bundle::{ModelScale, ModelSpec};
use crate::mask::Rect;
use crate::slide::{Plane, Tissue};

use super::{Axis, PipelineError, Tta};

/// One tile of a view, by its place in the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// Column in the grid of tiles.
    pub column: u32,
    /// Row in the grid of tiles.
    pub row: u32,
}

/// The slide as one model sees it at one scale.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The model's place among the models of the plan.
    pub model: usize,
    /// Side of the tiles, px of the plane.
    pub tile: u32,
    /// Its share in the mean of all views.
    pub weight: f32,
    /// The slide at the view's scale.
    pub plane: Plane,
    /// The tiles across.
    pub across: Axis,
    /// The tiles down.
    pub down: Axis,
    /// The tiles that are needed, row by row.
    pub tiles: Vec<Tile>,
}

/// What one target's models are to do on a slide.
///
/// Several models of one target, and several scales of one model, are several views. Each px of the mask is decided by
/// the weighted mean of all views.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LayerPlan {
    /// The target.
    pub target: Target,
    /// The models. The first one's threshold, smallest object and rule for holes hold for the mean; the bundle makes
    /// sure that the others say the same.
    pub models: Vec<ModelSpec>,
    /// The views; the first one is the first model at its own scale.
    pub views: Vec<View>,
    /// All tiles of all views, by view and tile, from the slide's top to its bottom.
    pub order: Vec<(usize, Tile)>,
}

impl LayerPlan {
    /// Plans the tiles of `target`: those whose core touches tissue in a cell that is the target's.
    ///
    /// # Errors
    /// When there is no model, a model works at a fixed um/px and the slide's (`mpp`, across and down) is not known, or a model that
    /// sees the whole slide is to see it at several scales.
    pub fn new(
        target: Target,
        models: &[&ModelSpec],
        overlap: Option<u32>,
        tta: Tta,
        mpp: Option<(f64, f64)>,
        map: &OrganMap,
        tissue: &Tissue,
    ) -> Result<Self, PipelineError> {
        let size = (map.grid().width(), map.grid().height());
        let mut views: Vec<View> = Vec::new();
        for (index, model) in models.iter().enumerate() {
            for &scale in tta.scales() {
                let mut view = View::new(index, model, overlap, scale, mpp, size)?;
                view.tiles = match views.first() {
                    None => view.tiles_where(|across, down| {
                        let columns = reached(&view.across, across, view.plane.scale.0, size.0);
                        let rows = reached(&view.down, down, view.plane.scale.1, size.1);
                        touches(columns, rows, target, map, tissue)
                    }),
                    // All look where the first one does, so that every px has the mean of all.
                    Some(first) => {
                        let coverage = Coverage::at(first);
                        view.tiles_where(|across, down| {
                            let columns = owned(&view.across, across, view.plane.scale.0, size.0);
                            let rows = owned(&view.down, down, view.plane.scale.1, size.1);
                            coverage.touches(columns, rows)
                        })
                    }
                };
                views.push(view);
            }
        }
        if views.is_empty() {
            return Err(PipelineError::NoModel(target));
        }
        let mut order: Vec<(usize, Tile)> = views
            .iter()
            .enumerate()
            .flat_map(|(index, view)| view.tiles.iter().map(move |&tile| (index, tile)))
            .collect();
        // Stable: within one view tiles stay in their order. So rows of the mask are finished from the top, whatever
        // the number of views.
        order.sort_by_key(|&(index, tile)| {
            let view = &views[index];
            (
                reached(&view.down, tile.row, view.plane.scale.1, size.1).0,
                index,
            )
        });
        Ok(LayerPlan {
            target,
            models: models.iter().map(|&model| model.clone()).collect(),
            views,
            order,
        })
    }

    /// The same plan with only those tiles that have a part in any px of a region, full-size px.
    #[must_use]
    pub fn within(mut self, region: Rect) -> Self {
        let views = &self.views;
        self.order
            .retain(|&(view, tile)| views[view].has_part_in(tile, region));
        for view in &mut self.views {
            let tiles = std::mem::take(&mut view.tiles).into_iter();
            view.tiles = tiles
                .filter(|&tile| view.has_part_in(tile, region))
                .collect();
        }
        self
    }

    /// The px of a full-size row of `width` px at which the first view looks, as sorted ranges. Where it does not, there
    /// is no tissue of the target, and other views that happen to look there have no say.
    pub(super) fn looked(&self, row: u32, width: u32) -> Vec<std::ops::Range<u32>> {
        let first = &self.views[0];
        let tile_row = Coverage::holder(&first.down, first.plane.scale.1, row);
        // Tiles are in order, row by row.
        let start = first.tiles.partition_point(|tile| tile.row < tile_row);
        first.tiles[start..]
            .iter()
            .take_while(|tile| tile.row == tile_row)
            .map(|tile| {
                let (from, to) = owned(&first.across, tile.column, first.plane.scale.0, width);
                from..to
            })
            .collect()
    }

    /// The model whose threshold and clean-up hold.
    pub fn first(&self) -> &ModelSpec {
        &self.models[0]
    }
}

/// A half-open range of full-size px.
type Span = (u32, u32);

impl View {
    fn new(
        index: usize,
        model: &ModelSpec,
        overlap: Option<u32>,
        scale: f64,
        mpp: Option<(f64, f64)>,
        (width, height): (u32, u32),
    ) -> Result<Self, PipelineError> {
        let (plane, overlap) = match (model.fit, mpp) {
            (ModelScale::Whole, _) if scale != 1.0 => {
                return Err(PipelineError::OneScale(model.name.clone()));
            }
            (ModelScale::Whole, _) => (Plane::whole(width, height, model.tile), 0),
            (ModelScale::Mpp(wanted), Some(mpp)) => (
                Plane::at_scales(
                    width,
                    height,
                    (wanted * scale / mpp.0, wanted * scale / mpp.1),
                ),
                overlap.unwrap_or(model.overlap),
            ),
            (ModelScale::Mpp(wanted), None) => {
                return Err(PipelineError::NoResolution {
                    who: format!("the model {:?} (it works at {wanted} um/px)", model.name),
                });
            }
        };
        Ok(View {
            model: index,
            tile: model.tile,
            weight: model.weight,
            plane,
            across: Axis::new(plane.width, model.tile, overlap),
            down: Axis::new(plane.height, model.tile, overlap),
            tiles: Vec::new(),
        })
    }

    /// Whether a tile has a part in any px of a region.
    fn has_part_in(&self, tile: Tile, region: Rect) -> bool {
        let meets = |axis: &Axis, index: u32, scale: f64, start: u32, length: u32| {
            let (from, to) = axis.extent(index);
            // Between px there is interpolation, which reaches one px further.
            let begin = (f64::from(from) - 0.5) * scale - 0.5;
            let end = (f64::from(to) + 0.5) * scale - 0.5;
            begin < f64::from(start) + f64::from(length) && f64::from(start) - 1.0 < end
        };
        let scale = self.plane.scale;
        meets(&self.across, tile.column, scale.0, region.x, region.width)
            && meets(&self.down, tile.row, scale.1, region.y, region.height)
    }

    /// The tiles, by column and row, that are wanted.
    fn tiles_where(&self, wanted: impl Fn(u32, u32) -> bool) -> Vec<Tile> {
        let all = (0..self.down.count())
            .flat_map(|row| (0..self.across.count()).map(move |column| Tile { column, row }));
        all.filter(|tile| wanted(tile.column, tile.row)).collect()
    }
}

/// The full-size px (never none) that tile `index` of an axis has a part in, those that interpolation reaches too.
fn reached(axis: &Axis, index: u32, scale: f64, length: u32) -> Span {
    let (from, to) = axis.core(index);
    let start = ((f64::from(from) - 0.5) * scale).floor().max(0.0) as u32;
    let end = ((f64::from(to) + 0.5) * scale).ceil() as u32;
    let start = start.min(length - 1);
    (start, end.clamp(start + 1, length))
}

/// The full-size px whose middle lies in the core of tile `index`. Cores cut the plane into parts, so these cut the slide.
fn owned(axis: &Axis, index: u32, scale: f64, length: u32) -> Span {
    let edge = |px: u32| ((f64::from(px) * scale - 0.5).ceil().max(0.0) as u32).min(length);
    let (from, to) = axis.core(index);
    // A plane is rounded to whole px: what lies beyond its last one is the last tile's.
    let last = index + 1 == axis.count();
    (edge(from), if last { length } else { edge(to) })
}

/// Whether there is tissue of the target in a rectangle.
fn touches(
    (left, right): Span,
    (top, bottom): Span,
    target: Target,
    map: &OrganMap,
    tissue: &Tissue,
) -> bool {
    let grid = map.grid();
    (grid.row_of(top)..=grid.row_of(bottom - 1)).any(|row| {
        (grid.column_of(left)..=grid.column_of(right - 1)).any(|column| {
            let (x0, y0, x1, y1) = grid.bounds(column, row);
            map.at(column, row) == Some(target)
                && tissue.share_of(x0.max(left), y0.max(top), x1.min(right), y1.min(bottom)) > 0.0
        })
    })
}

/// Where a view has tiles.
#[derive(Debug, Clone, PartialEq)]
struct Coverage<'a> {
    view: &'a View,
    /// Whether the tile at a place of the grid is needed, row-major.
    needed: Vec<bool>,
}

impl<'a> Coverage<'a> {
    fn at(view: &'a View) -> Self {
        let columns = view.across.count() as usize;
        let mut needed = vec![false; columns * view.down.count() as usize];
        for tile in &view.tiles {
            needed[tile.row as usize * columns + tile.column as usize] = true;
        }
        Coverage { view, needed }
    }

    /// The tile of an axis that owns a full-size px.
    fn holder(axis: &Axis, scale: f64, px: u32) -> u32 {
        let place = ((f64::from(px) + 0.5) / scale) as u32;
        axis.holder(place.min(axis.length() - 1))
    }

    fn needs(&self, column: u32, row: u32) -> bool {
        self.needed[row as usize * self.view.across.count() as usize + column as usize]
    }

    /// Whether one of the tiles owns a px of a rectangle. None does where the rectangle is empty.
    fn touches(&self, (left, right): Span, (top, bottom): Span) -> bool {
        if left >= right || top >= bottom {
            return false;
        }
        let view = self.view;
        let (sx, sy) = view.plane.scale;
        let columns =
            Self::holder(&view.across, sx, left)..=Self::holder(&view.across, sx, right - 1);
        (Self::holder(&view.down, sy, top)..=Self::holder(&view.down, sy, bottom - 1))
            .any(|row| columns.clone().any(|column| self.needs(column, row)))
    }
}

#[cfg(test)]
mod tests {
    use ftuseg_router::{CellGrid, assign_all};

    use super::*;
    use crate::bundle::{InputKind, OutputKind};

    fn model(name: &str, tile: u32, mpp: f64) -> ModelSpec {
        ModelSpec {
            name: name.to_owned(),
            target: Target::Baseline,
            file: String::new(),
            sha256: String::new(),
            int8: None,
            weight: 1.0,
            input: InputKind::Bytes,
            output: OutputKind::Probability,
            tile,
            fit: ModelScale::Mpp(mpp),
            overlap: 8,
            threshold: 0.5,
            min_area: 0.0,
            fill_holes: false,
            parameters: None,
            dice: Vec::new(),
        }
    }

    #[test]
    fn every_view_looks_wherever_the_first_one_does_and_tiles_go_from_top_to_bottom() {
        let (width, height) = (1000, 700);
        let tissue = Tissue::everywhere(width, height);
        let grid = CellGrid::whole(width, height).unwrap();
        let map = assign_all(grid, &[1.0], Target::Baseline);
        let (a, b) = (model("a", 64, 2.0), model("b", 96, 3.0));
        let plan = LayerPlan::new(
            Target::Baseline,
            &[&a, &b],
            None,
            Tta::Scales,
            Some((1.0, 1.0)),
            &map,
            &tissue,
        )
        .unwrap();
        assert_eq!(plan.views.len(), 6);
        assert_eq!(
            plan.order.len(),
            plan.views.iter().map(|v| v.tiles.len()).sum::<usize>()
        );
        for view in &plan.views {
            // Tissue is everywhere, so all tiles are needed.
            assert_eq!(
                view.tiles.len() as u32,
                view.across.count() * view.down.count()
            );
        }
        let top = |&(view, tile): &(usize, Tile)| {
            let view = &plan.views[view];
            reached(&view.down, tile.row, view.plane.scale.1, height).0
        };
        assert!(plan.order.is_sorted_by_key(top));
    }

    #[test]
    fn other_views_look_at_what_the_first_one_does_and_no_further() {
        let (width, height) = (1000, 1000);
        let tissue = Tissue::everywhere(width, height);
        // One cell of sixteen is the target's.
        let grid = CellGrid::new(width, height, 250.0).unwrap();
        let mut shares = vec![0.0; grid.len()];
        shares[5] = 1.0;
        let map = assign_all(grid, &shares, Target::Baseline);
        let same = model("same", 64, 2.0);
        let other = model("other", 96, 3.1);
        let plan = LayerPlan::new(
            Target::Baseline,
            &[&same, &same, &other],
            None,
            Tta::None,
            Some((1.0, 1.0)),
            &map,
            &tissue,
        )
        .unwrap();
        let [first, second, third] = &plan.views[..] else {
            panic!("three views");
        };
        assert!(first.tiles.len() < (first.across.count() * first.down.count()) as usize / 2);
        assert_eq!(
            first.tiles, second.tiles,
            "the same grid needs the same tiles"
        );
        // Every px that the first view owns is owned by a tile of the third.
        let coverage = Coverage::at(third);
        let mut seen = 0;
        for row in 0..height {
            for range in plan.looked(row, width) {
                seen += range.len();
                for x in range {
                    assert!(coverage.touches((x, x + 1), (row, row + 1)), "({x}, {row})");
                }
            }
        }
        assert!(seen > 250 * 250);
        // And every tile of the third owns a px at which the first one looks.
        let first_looks = Coverage::at(first);
        for tile in &third.tiles {
            let columns = owned(&third.across, tile.column, third.plane.scale.0, width);
            let rows = owned(&third.down, tile.row, third.plane.scale.1, height);
            let wanted = (rows.0..rows.1).any(|y| {
                (columns.0..columns.1).any(|x| first_looks.touches((x, x + 1), (y, y + 1)))
            });
            assert!(wanted, "{tile:?} is of no use");
        }
    }

    #[test]
    fn owned_px_cut_the_slide() {
        for (length, scale) in [(1000, 2.0), (997, 3.7), (64, 1.0), (50, 0.37)] {
            let axis = Axis::new((f64::from(length) / scale).round() as u32, 64, 16);
            let mut next = 0;
            for index in 0..axis.count() {
                let (from, to) = owned(&axis, index, scale, length);
                assert_eq!(from, next);
                next = to;
                for px in from..to {
                    assert_eq!(
                        Coverage::holder(&axis, scale, px),
                        index,
                        "{length} {scale} {px}"
                    );
                }
            }
            assert_eq!(next, length);
        }
    }

    #[test]
    fn a_model_that_sees_the_whole_slide_has_one_scale() {
        let whole = ModelSpec {
            fit: ModelScale::Whole,
            ..model("whole", 64, 1.0)
        };
        let tissue = Tissue::everywhere(100, 100);
        let map = assign_all(CellGrid::whole(100, 100).unwrap(), &[1.0], Target::Baseline);
        let plan =
            |tta| LayerPlan::new(Target::Baseline, &[&whole], None, tta, None, &map, &tissue);
        assert!(plan(Tta::D4).is_ok());
        assert!(matches!(plan(Tta::Scales), Err(PipelineError::OneScale(_))));
    }
}
