//! How far the edges of two masks lie apart: the 95th percentile of the Hausdorff distance.

use std::cell::OnceCell;
use std::ops::Range;

use rstar::RTree;

use ftuseg_mask::Mask;

/// Rows above and below a px that are searched one by one; what lies further is asked of a tree.
const NEAR: u32 = 32;

/// The px of a mask that have a neighbour beside, above or below that is not in it, row by row. What lies outside the
/// image is not in the mask.
struct Edge {
    /// Where the columns of each row begin in `columns`; one more than there are rows.
    starts: Vec<usize>,
    /// Sorted within a row.
    columns: Vec<u32>,
}

impl Edge {
    fn of(mask: &Mask) -> Self {
        let height = mask.height();
        let mut edge = Edge {
            starts: Vec::with_capacity(height as usize + 1),
            columns: Vec::new(),
        };
        let (mut above, mut row): (Vec<_>, Vec<_>) = (Vec::new(), mask.row_runs(0).collect());
        for y in 0..height {
            edge.starts.push(edge.columns.len());
            let below: Vec<Range<u32>> = match y + 1 < height {
                true => mask.row_runs(y + 1).collect(),
                false => Vec::new(),
            };
            edge.add_row(&above, &row, &below);
            above = std::mem::replace(&mut row, below);
        }
        edge.starts.push(edge.columns.len());
        edge
    }

    /// Adds the px of a row that are not inside: those at the ends of their run, and those with nothing above or below.
    fn add_row(&mut self, above: &[Range<u32>], row: &[Range<u32>], below: &[Range<u32>]) {
        let (mut up, mut down) = (0, 0);
        for run in row {
            // The px of the run from here on are not told of yet.
            let mut next = run.start;
            let mut at = run.start + 1;
            let last = run.end - 1;
            while at < last {
                while above.get(up).is_some_and(|other| other.end <= at) {
                    up += 1;
                }
                while below.get(down).is_some_and(|other| other.end <= at) {
                    down += 1;
                }
                let (Some(over), Some(under)) = (above.get(up), below.get(down)) else {
                    break;
                };
                let inside = at.max(over.start).max(under.start)..last.min(over.end).min(under.end);
                if inside.is_empty() {
                    // Nothing is inside before the later of the two begins.
                    at = inside.start;
                    continue;
                }
                self.columns.extend(next..inside.start);
                (next, at) = (inside.end, inside.end);
            }
            self.columns.extend(next..run.end);
        }
    }

    fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    fn rows(&self) -> u32 {
        // A mask's height, which is a u32, and one more.
        (self.starts.len() - 1) as u32
    }

    fn row(&self, y: u32) -> &[u32] {
        &self.columns[self.starts[y as usize]..self.starts[y as usize + 1]]
    }

    fn points(&self) -> impl Iterator<Item = [u32; 2]> {
        (0..self.rows()).flat_map(|y| self.row(y).iter().map(move |&x| [x, y]))
    }

    /// The square of the distance from a px to the nearest one of a row; none where the row has none.
    fn in_row(&self, [x, y]: [u32; 2], row: u32) -> Option<u64> {
        let columns = self.row(row);
        let after = columns.partition_point(|&column| column < x);
        let near = columns[after.saturating_sub(1)..].iter().take(2);
        let across = near.map(|&column| column.abs_diff(x)).min()?;
        Some(squared(across) + squared(row.abs_diff(y)))
    }

    /// The square of the distance from a px to the nearest one, if that lies within [`NEAR`].
    fn near(&self, [x, y]: [u32; 2]) -> Option<u64> {
        let mut best = squared(NEAR) + 1;
        for step in 0..=NEAR {
            if squared(step) >= best {
                break;
            }
            let over = y.checked_sub(step);
            let under = (step > 0)
                .then_some(y + step)
                .filter(|&row| row < self.rows());
            for row in over.into_iter().chain(under) {
                best = best.min(self.in_row([x, y], row).unwrap_or(u64::MAX));
            }
        }
        (best <= squared(NEAR)).then_some(best)
    }
}

fn squared(distance: u32) -> u64 {
    u64::from(distance) * u64::from(distance)
}

/// The distances from every px of one edge to the nearest of another. Most lie near, and are found in the rows around;
/// for the others there is a tree, made when it is first needed.
fn distances(from: &Edge, to: &Edge) -> Vec<f64> {
    let tree: OnceCell<RTree<[f64; 2]>> = OnceCell::new();
    let far = |[x, y]: [u32; 2]| -> f64 {
        let all = || to.points().map(|point| point.map(f64::from)).collect();
        let tree = tree.get_or_init(|| RTree::bulk_load(all()));
        let near = tree
            .nearest_neighbor([f64::from(x), f64::from(y)])
            .expect("invariant: the edge holds at least one px");
        (near[0] - f64::from(x)).hypot(near[1] - f64::from(y))
    };
    from.points()
        .map(|point| match to.near(point) {
            Some(squared) => (squared as f64).sqrt(),
            None => far(point),
        })
        .collect()
}

/// The 95th percentile of the distances from every edge px of one mask to the nearest edge px of the other, both ways
/// together, in px (Huttenlocher et al. 1993; the percentile as in MedPy, interpolated as in NumPy). 0 when both masks
/// are empty, none when only one of them is.
pub fn hausdorff95(a: &Mask, b: &Mask) -> Option<f64> {
    let (a, b) = (Edge::of(a), Edge::of(b));
    if a.is_empty() || b.is_empty() {
        return (a.is_empty() && b.is_empty()).then_some(0.0);
    }
    let mut all = distances(&a, &b);
    all.extend(distances(&b, &a));
    Some(super::statistics::percentile(&mut all, 0.95))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: u32, y: u32, side: u32) -> Mask {
        let mut mask = Mask::new(100, 80).unwrap();
        for row in y..y + side {
            mask.set_row_run(row, x..x + side);
        }
        mask
    }

    /// The edge and the distances by definition.
    fn slow(a: &Mask, b: &Mask) -> (Vec<[u32; 2]>, Vec<f64>) {
        let rim = |mask: &Mask| -> Vec<[u32; 2]> {
            let inside = |x: u32, y: u32| {
                let left = x > 0 && mask.get(x - 1, y);
                let over = y > 0 && mask.get(x, y - 1);
                left && over && mask.get(x + 1, y) && mask.get(x, y + 1)
            };
            (0..mask.height())
                .flat_map(|y| (0..mask.width()).map(move |x| [x, y]))
                .filter(|&[x, y]| mask.get(x, y) && !inside(x, y))
                .collect()
        };
        let (a, b) = (rim(a), rim(b));
        let nearest = |&[x, y]: &[u32; 2]| {
            let to = b
                .iter()
                .map(|p| squared(p[0].abs_diff(x)) + squared(p[1].abs_diff(y)));
            to.min().map_or(f64::INFINITY, |d| (d as f64).sqrt())
        };
        let distances = a.iter().map(nearest).collect();
        (a, distances)
    }

    #[test]
    fn edges_and_distances_are_those_of_the_definition_near_and_far() {
        let mut state = 1_u32;
        let mut random = |end: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % end
        };
        for round in 0..40 {
            let (width, height) = (1 + random(200), 1 + random(150));
            let mut masks = [(); 2].map(|()| Mask::new(width, height).unwrap());
            for mask in &mut masks {
                for _ in 0..1 + random(4) {
                    let (x, y, side) = (random(width), random(height), 1 + random(40));
                    for row in y..(y + side).min(height) {
                        mask.set_row_run(row, x..(x + side).min(width));
                    }
                }
                for _ in 0..random(30) {
                    mask.set(random(width), random(height), round % 2 == 0);
                }
                mask.set(random(width), random(height), true);
            }
            let (edge, expected) = slow(&masks[0], &masks[1]);
            let (from, to) = (Edge::of(&masks[0]), Edge::of(&masks[1]));
            assert_eq!(from.points().collect::<Vec<_>>(), edge, "round {round}");
            for (found, expected) in distances(&from, &to).into_iter().zip(expected) {
                assert!((found - expected).abs() < 1e-9, "{found} {expected}");
            }
        }
    }

    #[test]
    fn edges_are_the_rim() {
        let count = |mask: &Mask| Edge::of(mask).columns.len();
        assert_eq!(count(&square(10, 10, 5)), 16);
        assert_eq!(count(&square(0, 0, 3)), 8);
        assert_eq!(count(&square(7, 7, 1)), 1);
        assert_eq!(count(&Mask::new(9, 9).unwrap()), 0);
    }

    #[test]
    fn a_shifted_square_is_as_far_as_its_shift() {
        let a = square(10, 10, 20);
        assert_eq!(hausdorff95(&a, &a), Some(0.0));
        assert_eq!(hausdorff95(&a, &square(14, 10, 20)), Some(4.0));
        let empty = Mask::new(100, 80).unwrap();
        assert_eq!(hausdorff95(&empty, &empty), Some(0.0));
        assert_eq!(hausdorff95(&a, &empty), None);
    }
}
