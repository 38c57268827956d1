//! Floods the distance from its peaks downwards, and says which peaks are parts of their own.

/// When two parts that meet stay two.
pub(super) struct Rule {
    /// The meeting place is narrower than this share of the smaller part's width.
    pub(super) neck: f64,
    /// Each part's half width is at least this many cells.
    pub(super) radius: f64,
    /// Each part has at least this many cells above the meeting place.
    pub(super) area: u64,
}

/// A peak and what has been flooded from it.
struct Basin {
    /// The basin that this one has become a part of; itself until then.
    parent: u32,
    /// The square of the largest distance in it.
    peak: u32,
    area: u64,
}

struct Basins(Vec<Basin>);

impl Basins {
    fn root(&mut self, mut basin: u32) -> u32 {
        while self.0[basin as usize].parent != basin {
            let next = self.0[basin as usize].parent;
            self.0[basin as usize].parent = self.0[next as usize].parent;
            basin = next;
        }
        basin
    }

    /// Whether two parts that meet where the square of the distance is `saddle` are two objects.
    fn apart(&self, one: u32, two: u32, saddle: u32, rule: &Rule) -> bool {
        let (one, two) = (&self.0[one as usize], &self.0[two as usize]);
        let smaller = f64::from(one.peak.min(two.peak)).sqrt();
        smaller >= rule.radius
            && one.area.min(two.area) >= rule.area
            && f64::from(saddle).sqrt() < rule.neck * smaller
    }

    /// Makes two parts one: that with the higher peak, or the older, takes the other.
    fn join(&mut self, one: u32, two: u32) -> u32 {
        let key =
            |basins: &Self, basin: u32| (basins.0[basin as usize].peak, std::cmp::Reverse(basin));
        let (into, from) = if key(self, one) >= key(self, two) {
            (one, two)
        } else {
            (two, one)
        };
        self.0[from as usize].parent = into;
        self.0[into as usize].area += self.0[from as usize].area;
        into
    }
}

/// No basin yet, or outside.
const NONE: u32 = u32::MAX;

/// The part of each cell, from 0 in the order of the cells; [`NONE`] outside. `None` if there is one part.
///
/// `squares` are the squares of the distances from the edge, row after row, 0 outside; the outermost cells are outside.
pub(super) fn basins(squares: &[u32], width: usize, rule: &Rule) -> Option<Vec<u32>> {
    let mut order: Vec<u32> = (0..squares.len() as u32)
        .filter(|&cell| squares[cell as usize] > 0)
        .collect();
    // From the highest down; those of one height in their order, so the answer is always the same.
    order.sort_by_key(|&cell| std::cmp::Reverse(squares[cell as usize]));
    let mut labels = vec![NONE; squares.len()];
    let mut basins = Basins(Vec::new());
    for cell in order {
        let cell = cell as usize;
        let around = [cell - width, cell - 1, cell + 1, cell + width];
        // Up the steepest slope.
        let highest = around
            .into_iter()
            .filter(|&other| labels[other] != NONE)
            .reduce(|best, other| {
                if squares[other] > squares[best] {
                    other
                } else {
                    best
                }
            });
        let Some(highest) = highest else {
            let new = basins.0.len() as u32;
            basins.0.push(Basin {
                parent: new,
                peak: squares[cell],
                area: 1,
            });
            labels[cell] = new;
            continue;
        };
        let mut own = basins.root(labels[highest]);
        for other in around {
            if labels[other] == NONE {
                continue;
            }
            let other = basins.root(labels[other]);
            if other != own && !basins.apart(own, other, squares[cell], rule) {
                own = basins.join(own, other);
            }
        }
        basins.0[own as usize].area += 1;
        labels[cell] = own;
    }
    renumber(labels, basins)
}

/// Numbers the parts that are left by their first cells.
fn renumber(mut labels: Vec<u32>, mut basins: Basins) -> Option<Vec<u32>> {
    let mut numbers = vec![NONE; basins.0.len()];
    let mut count = 0;
    for label in labels.iter_mut().filter(|label| **label != NONE) {
        let root = basins.root(*label) as usize;
        if numbers[root] == NONE {
            numbers[root] = count;
            count += 1;
        }
        *label = numbers[root];
    }
    (count > 1).then_some(labels)
}
