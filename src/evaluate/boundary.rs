//! How far the edges of two masks lie apart: the 95th percentile of the Hausdorff distance.

use rayon::prelude::*;
use rstar::RTree;

use crate::mask::Mask;

/// The px of a mask that have a neighbour beside, above or below that is not in it. What lies outside the image is not.
fn edge(mask: &Mask) -> Vec<[f64; 2]> {
    let mut points = Vec::new();
    let (mut above, mut below): (Vec<_>, Vec<_>) = (Vec::new(), mask.row_runs(0).collect());
    for y in 0..mask.height() {
        let row = std::mem::take(&mut below);
        if y + 1 < mask.height() {
            below.extend(mask.row_runs(y + 1));
        }
        for run in &row {
            for x in run.clone() {
                let inside =
                    x > run.start && x + 1 < run.end && holds(&above, x) && holds(&below, x);
                if !inside {
                    points.push([f64::from(x), f64::from(y)]);
                }
            }
        }
        above = row;
    }
    points
}

/// Whether one of some sorted ranges holds a column.
fn holds(runs: &[std::ops::Range<u32>], x: u32) -> bool {
    let after = runs.partition_point(|run| run.start <= x);
    after > 0 && runs[after - 1].contains(&x)
}

/// The 95th percentile of the distances from every edge px of one mask to the nearest edge px of the other, both ways
/// together, in px (Huttenlocher et al. 1993; the percentile as in MedPy, interpolated as in NumPy). 0 when both masks
/// are empty, none when only one of them is.
pub fn hausdorff95(a: &Mask, b: &Mask) -> Option<f64> {
    let (a, b) = (edge(a), edge(b));
    if a.is_empty() || b.is_empty() {
        return (a.is_empty() && b.is_empty()).then_some(0.0);
    }
    let one_way = |from: &[[f64; 2]], to: &[[f64; 2]]| -> Vec<f64> {
        let tree = RTree::bulk_load(to.to_vec());
        let distance = |point: &[f64; 2]| {
            let near = tree
                .nearest_neighbor(*point)
                .expect("invariant: the tree holds at least one point");
            (near[0] - point[0]).hypot(near[1] - point[1])
        };
        from.par_iter().with_min_len(1024).map(distance).collect()
    };
    let mut all = one_way(&a, &b);
    all.extend(one_way(&b, &a));
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

    #[test]
    fn edges_are_the_rim() {
        assert_eq!(edge(&square(10, 10, 5)).len(), 16);
        assert_eq!(edge(&square(0, 0, 3)).len(), 8);
        assert_eq!(edge(&square(7, 7, 1)).len(), 1);
        assert!(edge(&Mask::new(9, 9).unwrap()).is_empty());
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
