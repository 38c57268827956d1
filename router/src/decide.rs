//! Turns votes into an organ map: smoothing over tissue components, then one target for each cell.

use crate::{CellGrid, OrganMap, Target, Votes};

/// How much of a cell's smoothed vote comes from its whole tissue component; the rest comes from the
/// cell and its neighbours. A piece of tissue nearly always is one organ, so the component weighs as much as
/// the neighbourhood: a lone dissenting cell is overruled, a large region of another organ is not.
const COMPONENT_WEIGHT: f32 = 0.5;

/// The smoothed probability of "none of these" from which tissue counts as such: more likely than all organs together.
const OTHER: f32 = 0.5;

/// Decides a target for each cell of tissue, after smoothing over the piece of tissue that it lies in.
///
/// A cell that most likely is none of the organs goes to [`Target::Other`], where the classifier says such a thing; else a
/// cell whose smoothed confidence is under `limit` goes to `fallback`. Ties go to the organ that comes first
/// in the classifier's outputs. The answer depends on the votes alone, not on the order in which they were set.
pub fn decide_by_cell(votes: &Votes, limit: f32, fallback: Target) -> OrganMap {
    decide(votes, &smooth(votes), limit, fallback)
}

/// Decides one target for the whole slide: that of the mean vote. Otherwise as [`decide_by_cell`].
pub fn decide_by_slide(votes: &Votes, limit: f32, fallback: Target) -> OrganMap {
    let cells: Vec<usize> = (0..votes.grid.len()).collect();
    let mean = mean(votes, &cells);
    let all: Vec<_> = cells.iter().map(|_| mean.clone()).collect();
    decide(votes, &all, limit, fallback)
}

/// Gives each cell of tissue the target that its probabilities speak for.
fn decide(votes: &Votes, probabilities: &[Vec<f32>], limit: f32, fallback: Target) -> OrganMap {
    let mut map = blank(votes);
    for (index, probabilities) in probabilities.iter().enumerate() {
        if votes.tissue[index] <= 0.0 {
            continue;
        }
        let (of_organs, other) = probabilities.split_at(votes.organs.len());
        let (best, strongest) = strongest(of_organs);
        let (target, confidence) = match (other.first(), votes.organs.get(best)) {
            (Some(&other), _) if other >= OTHER => (Target::Other, other),
            (_, Some(&organ)) if strongest >= limit => (Target::Organ(organ), strongest),
            _ => (fallback, strongest),
        };
        map.targets[index] = Some(target);
        map.confidence[index] = confidence;
    }
    map
}

/// Sends all tissue to one target, with confidence 1: for whoever knows already what the slide is.
/// `tissue` is the share of tissue of each cell, row-major; cells beyond its end are glass.
pub fn assign_all(grid: CellGrid, tissue: &[f32], target: Target) -> OrganMap {
    let mut votes = Votes::new(grid, &[]);
    for (mine, share) in votes.tissue.iter_mut().zip(tissue) {
        *mine = share.clamp(0.0, 1.0);
    }
    let mut map = blank(&votes);
    for index in 0..map.targets.len() {
        if votes.tissue[index] > 0.0 {
            map.targets[index] = Some(target);
            map.confidence[index] = 1.0;
        }
    }
    map
}

fn blank(votes: &Votes) -> OrganMap {
    OrganMap {
        grid: votes.grid,
        targets: vec![None; votes.grid.len()],
        confidence: vec![0.0; votes.grid.len()],
        tissue: votes.tissue.clone(),
        known: None,
    }
}

fn strongest(probabilities: &[f32]) -> (usize, f32) {
    let mut best = (usize::MAX, f32::NEG_INFINITY);
    for (index, &p) in probabilities.iter().enumerate() {
        if p > best.1 {
            best = (index, p);
        }
    }
    best
}

/// Mean vote of some cells, weighted by their tissue.
fn mean(votes: &Votes, cells: &[usize]) -> Vec<f32> {
    let mut sum = vec![0.0_f64; votes.classes];
    let mut weight = 0.0_f64;
    for &cell in cells {
        let tissue = f64::from(votes.tissue[cell]);
        weight += tissue;
        for (sum, &p) in sum.iter_mut().zip(votes.of(cell)) {
            *sum += tissue * f64::from(p);
        }
    }
    sum.iter()
        .map(|s| {
            if weight > 0.0 {
                (s / weight) as f32
            } else {
                0.0
            }
        })
        .collect()
}

/// Mixes each cell's neighbourhood (3 x 3, same component) with the mean of its component.
fn smooth(votes: &Votes) -> Vec<Vec<f32>> {
    let mut smoothed = vec![Vec::new(); votes.grid.len()];
    for component in components(votes) {
        let whole = mean(votes, &component);
        for &cell in &component {
            // 8-connected neighbours with tissue always lie in the same component.
            let mut near: Vec<usize> = neighbours(&votes.grid, cell)
                .filter(|&other| votes.tissue[other] > 0.0)
                .collect();
            near.push(cell);
            near.sort_unstable();
            smoothed[cell] = mean(votes, &near)
                .iter()
                .zip(&whole)
                .map(|(near, whole)| (1.0 - COMPONENT_WEIGHT) * near + COMPONENT_WEIGHT * whole)
                .collect();
        }
    }
    smoothed
}

/// The 8-connected components of cells with tissue, each sorted, in order of their first cell.
fn components(votes: &Votes) -> Vec<Vec<usize>> {
    let mut seen = vec![false; votes.grid.len()];
    let mut all = Vec::new();
    for start in 0..votes.grid.len() {
        if seen[start] || votes.tissue[start] <= 0.0 {
            continue;
        }
        seen[start] = true;
        let (mut component, mut next) = (vec![start], 0);
        while let Some(&cell) = component.get(next) {
            next += 1;
            for other in neighbours(&votes.grid, cell) {
                if !seen[other] && votes.tissue[other] > 0.0 {
                    seen[other] = true;
                    component.push(other);
                }
            }
        }
        component.sort_unstable();
        all.push(component);
    }
    all
}

fn neighbours(grid: &CellGrid, cell: usize) -> impl Iterator<Item = usize> {
    let grid = *grid;
    let (column, row) = (
        (cell % grid.columns() as usize) as i64,
        (cell / grid.columns() as usize) as i64,
    );
    (-1..=1_i64)
        .flat_map(move |dy| (-1..=1_i64).map(move |dx| (dx, dy)))
        .filter(|&step| step != (0, 0))
        .filter_map(move |(dx, dy)| {
            let (x, y) = (
                u32::try_from(column + dx).ok()?,
                u32::try_from(row + dy).ok()?,
            );
            grid.index(x, y)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Organ;

    /// What the classifier of these tests knows, in the order of its outputs.
    const ORGANS: [Organ; 5] = [
        Organ::Kidney,
        Organ::Prostate,
        Organ::LargeIntestine,
        Organ::Spleen,
        Organ::Lung,
    ];
    const KIDNEY: [f32; 5] = [0.9, 0.1, 0.0, 0.0, 0.0];
    const LUNG: [f32; 5] = [0.1, 0.0, 0.0, 0.0, 0.9];
    const UNSURE: [f32; 5] = [0.2; 5];

    /// Draws a map: `k`, `l`, `?` vote, ` ` is glass.
    fn votes(drawing: &[&str]) -> Votes {
        let (columns, rows) = (drawing[0].len() as u32, drawing.len() as u32);
        let grid = CellGrid::new(columns * 10, rows * 10, 10.0).unwrap();
        let mut votes = Votes::new(grid, &ORGANS);
        for (row, line) in drawing.iter().enumerate() {
            for (column, letter) in line.chars().enumerate() {
                let vote = match letter {
                    'k' => KIDNEY,
                    'l' => LUNG,
                    '?' => UNSURE,
                    _ => continue,
                };
                votes.set(column as u32, row as u32, 1.0, &vote).unwrap();
            }
        }
        votes
    }

    fn draw(map: &OrganMap) -> Vec<String> {
        (0..map.grid().rows())
            .map(|row| {
                (0..map.grid().columns())
                    .map(|column| match map.at(column, row) {
                        None => ' ',
                        Some(Target::Organ(Organ::Kidney)) => 'k',
                        Some(Target::Organ(Organ::Lung)) => 'l',
                        Some(Target::Baseline) => 'b',
                        Some(_) => 'x',
                    })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn two_pieces_of_tissue_keep_their_own_organ() {
        let map = decide_by_cell(&votes(&["kk ll", "kk ll"]), 0.5, Target::Baseline);
        assert_eq!(draw(&map), ["kk ll", "kk ll"]);
    }

    #[test]
    fn a_lone_dissenting_cell_is_overruled() {
        let map = decide_by_cell(&votes(&["kkkk", "klkk", "kkkk"]), 0.5, Target::Baseline);
        assert_eq!(draw(&map), ["kkkk", "kkkk", "kkkk"]);
    }

    #[test]
    fn two_organs_that_touch_are_not_merged() {
        let map = decide_by_cell(
            &votes(&["kkkkllll", "kkkkllll", "kkkkllll"]),
            0.4,
            Target::Baseline,
        );
        for row in draw(&map) {
            assert!(row.starts_with("kkk") && row.ends_with("lll"), "{row}");
        }
    }

    #[test]
    fn unsure_tissue_goes_to_the_fallback() {
        let map = decide_by_cell(&votes(&["?? kk"]), 0.5, Target::Baseline);
        assert_eq!(draw(&map), ["bb kk"]);
    }

    #[test]
    fn by_slide_takes_one_vote() {
        let map = decide_by_slide(&votes(&["kk l", "kk  "]), 0.5, Target::Baseline);
        assert_eq!(draw(&map), ["kk k", "kk  "]);
        assert_eq!(map.shares()[0].target, Target::Organ(Organ::Kidney));
    }

    #[test]
    fn ranges_merge_neighbouring_cells_and_shares_add_up() {
        let map = decide_by_cell(&votes(&["kk ll"]), 0.5, Target::Baseline);
        assert_eq!(map.ranges(Target::Organ(Organ::Kidney), 5), [(0, 20)]);
        assert_eq!(map.ranges(Target::Organ(Organ::Lung), 9), [(30, 50)]);
        let total: f64 = map.shares().iter().map(|s| s.share).sum();
        assert!((total - 1.0).abs() < 1e-9);
    }

    #[test]
    fn one_target_for_all_leaves_glass_alone() {
        let grid = CellGrid::new(30, 10, 10.0).unwrap();
        let map = assign_all(grid, &[1.0, 0.0, 0.5], Target::Unet);
        assert_eq!(map.at(0, 0), Some(Target::Unet));
        assert_eq!(map.at(1, 0), None);
        assert_eq!(map.shares()[0].confidence, 1.0);
    }

    /// As `votes`; `o` is tissue of another organ.
    fn votes_with_other(drawing: &[&str]) -> Votes {
        let grid = CellGrid::new(
            drawing[0].len() as u32 * 10,
            drawing.len() as u32 * 10,
            10.0,
        );
        let mut votes = Votes::with_other(grid.unwrap(), &ORGANS);
        for (row, line) in drawing.iter().enumerate() {
            for (column, letter) in line.chars().enumerate() {
                let vote = match letter {
                    'k' => [0.9, 0.05, 0.0, 0.0, 0.0, 0.05],
                    'o' => [0.06, 0.0, 0.0, 0.0, 0.04, 0.9],
                    '?' => [0.12, 0.12, 0.12, 0.12, 0.12, 0.4],
                    _ => continue,
                };
                votes.set(column as u32, row as u32, 1.0, &vote).unwrap();
            }
        }
        votes
    }

    #[test]
    fn tissue_that_is_none_of_the_organs_goes_nowhere() {
        let of = |drawing: &[&str]| {
            let votes = votes_with_other(drawing);
            let map = decide_by_cell(&votes, 0.5, Target::Baseline);
            draw(&map)
        };
        assert_eq!(of(&["kk oo", "kk oo"]), ["kk xx", "kk xx"]);
        // A lone cell is overruled, a half that is unlike the rest is not.
        assert_eq!(of(&["kkkk", "kokk", "kkkk"]), ["kkkk", "kkkk", "kkkk"]);
        assert!(of(&["kkkkoooo", "kkkkoooo"])[0].ends_with("xxx"));
        // Less likely than all organs together is unsure, not other.
        assert_eq!(of(&["??"]), ["bb"]);
        let map = decide_by_slide(&votes_with_other(&["ooo k"]), 0.5, Target::Baseline);
        assert_eq!(map.shares()[0].target, Target::Other);
        assert!((map.shares()[0].confidence - 0.6875).abs() < 1e-6);
    }

    #[test]
    fn bad_votes_are_refused() {
        let grid = CellGrid::new(30, 10, 10.0).unwrap();
        let mut votes = Votes::new(grid, &ORGANS);
        assert!(votes.set(3, 0, 1.0, &KIDNEY).is_err());
        assert!(votes.set(0, 0, 0.0, &KIDNEY).is_err());
        assert!(votes.set(0, 0, 1.0, &[f32::NAN; 5]).is_err());
        assert!(votes.set(0, 0, 1.0, &[0.5; 4]).is_err());
    }
}
