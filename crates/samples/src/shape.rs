//! The shapes that tissue is made of: wobbly blobs, packed cells, and where they are scattered.

use super::noise::{Bounds, Stream, floor, hash, unit};

/// A closed, wobbly, possibly long shape around a centre.
#[derive(Debug, Clone)]
pub(super) struct Blob {
    pub x: f32,
    pub y: f32,
    /// Mean radius in um.
    pub radius: f32,
    /// Direction of the longer axis, length 1.
    pub axis: (f32, f32),
    /// How much longer than wide, 1 for round.
    pub long: f32,
    /// Strength and phase of 2, 3, 4, 5 and 6 lobes around the edge.
    pub lobes: [(f32, f32, f32); 5],
    /// Random bits of its own.
    pub bits: u32,
    reach: f32,
}

/// Where a place lies in a [`Blob`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Depth {
    /// About the distance to the edge in um, positive inside.
    pub depth: f32,
    /// Direction from the centre, in the blob's own axes, length 1.
    pub turn: (f32, f32),
}

impl Blob {
    /// A blob whose lobes are drawn from `stream`; `wobble` is their strength, 0 for an ellipse.
    pub(super) fn new(
        (x, y): (f32, f32),
        radius: f32,
        axis: (f32, f32),
        long: f32,
        wobble: f32,
        stream: &mut Stream,
    ) -> Blob {
        let mut lobes = [(0.0, 1.0, 0.0); 5];
        let mut sum = 0.0;
        for (index, lobe) in lobes.iter_mut().enumerate() {
            let (c, s) = stream.direction();
            let strength = wobble * stream.range(0.3, 1.0) / (1.0 + 0.5 * index as f32);
            *lobe = (strength, c, s);
            sum += strength;
        }
        Blob {
            x,
            y,
            radius,
            axis,
            long,
            lobes,
            bits: stream.bits(),
            reach: radius * (1.0 + sum) * long.sqrt(),
        }
    }

    /// True if the blob can touch `bounds`.
    fn touches(&self, bounds: Bounds) -> bool {
        let reach = self.reach;
        self.x + reach > bounds.left
            && self.x - reach < bounds.right
            && self.y + reach > bounds.top
            && self.y - reach < bounds.bottom
    }

    /// Where a place lies; `None` if it is outside for sure.
    #[inline(always)]
    pub(super) fn depth(&self, x: f32, y: f32) -> Option<Depth> {
        let (dx, dy) = (x - self.x, y - self.y);
        let reach = self.reach;
        if dx * dx + dy * dy > reach * reach {
            return None;
        }
        let root = self.long.sqrt();
        let u = (dx * self.axis.0 + dy * self.axis.1) / root;
        let v = (dy * self.axis.0 - dx * self.axis.1) * root;
        let distance = (u * u + v * v).sqrt();
        let turn = if distance > 1e-3 {
            (u / distance, v / distance)
        } else {
            (1.0, 0.0)
        };
        let mut limit = 1.0;
        let mut lobe_turn = turn;
        for &(strength, c, s) in &self.lobes {
            lobe_turn = times(lobe_turn, turn);
            limit += strength * (lobe_turn.0 * c + lobe_turn.1 * s);
        }
        // Widened across and squeezed along: the smaller factor keeps the rim's width about right.
        Some(Depth {
            depth: (self.radius * limit - distance) / (1.0 + 0.5 * (root - 1.0)),
            turn,
        })
    }
}

/// The sum of two angles, each given by its cosine and sine.
#[inline(always)]
pub(super) fn times(a: (f32, f32), b: (f32, f32)) -> (f32, f32) {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

/// A jittered grid of places, turned by `axis` about `origin`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scatter {
    pub seed: u32,
    pub origin: (f32, f32),
    pub axis: (f32, f32),
    /// Distance of neighbours in um along and across the axis.
    pub pitch: (f32, f32),
    /// How far from its grid place a shape may lie, in pitches.
    pub jitter: f32,
}

/// One place of a [`Scatter`].
pub(super) struct Place {
    pub x: f32,
    pub y: f32,
    /// True for the place nearest to the origin.
    pub middle: bool,
}

impl Scatter {
    /// Asks `make` for the shape of each place from which a shape could come within `reach` um of `bounds`,
    /// and keeps those that do. The order is the grid's, whatever the bounds.
    pub(super) fn blobs(
        &self,
        bounds: Bounds,
        reach: f32,
        mut make: impl FnMut(Place, &mut Stream) -> Option<Blob>,
    ) -> Vec<Blob> {
        let wide = bounds.grown(reach);
        let mut low = (f32::MAX, f32::MAX);
        let mut high = (f32::MIN, f32::MIN);
        for (x, y) in [
            (wide.left, wide.top),
            (wide.right, wide.top),
            (wide.left, wide.bottom),
            (wide.right, wide.bottom),
        ] {
            let (dx, dy) = (x - self.origin.0, y - self.origin.1);
            let u = (dx * self.axis.0 + dy * self.axis.1) / self.pitch.0;
            let v = (dy * self.axis.0 - dx * self.axis.1) / self.pitch.1;
            low = (low.0.min(u), low.1.min(v));
            high = (high.0.max(u), high.1.max(v));
        }
        let mut blobs = Vec::new();
        for row in floor(low.1) - 1..=floor(high.1) + 2 {
            for column in floor(low.0) - 1..=floor(high.0) + 2 {
                let mut stream = Stream::new(hash(column, row, self.seed));
                // Every second row is shifted by half a pitch, as in a honeycomb.
                let shift = if row & 1 == 0 { 0.0 } else { 0.5 };
                let u = (column as f32 + shift + stream.range(-self.jitter, self.jitter))
                    * self.pitch.0;
                let v = (row as f32 + stream.range(-self.jitter, self.jitter)) * self.pitch.1;
                let place = Place {
                    x: self.origin.0 + u * self.axis.0 - v * self.axis.1,
                    y: self.origin.1 + u * self.axis.1 + v * self.axis.0,
                    middle: (column, row) == (0, 0),
                };
                if let Some(blob) = make(place, &mut stream)
                    && blob.touches(bounds)
                {
                    blobs.push(blob);
                }
            }
        }
        blobs
    }
}

/// A plane packed with cells, each the region nearest to one of many jittered places (Voronoi cells).
pub(super) struct Cells {
    pitch: f32,
    x0: i32,
    y0: i32,
    columns: usize,
    sites: Vec<Site>,
}

/// The place that a cell grows around.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site {
    pub x: f32,
    pub y: f32,
    /// Random bits of the cell's own.
    pub bits: u32,
}

/// Where a place lies among [`Cells`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Within {
    /// The cell it lies in.
    pub own: Site,
    /// The cell across the nearest border.
    pub next: Site,
    /// Distance to that border in um.
    pub edge: f32,
    /// Distance to the cell's site in um.
    pub from_site: f32,
}

impl Cells {
    /// Cells about `pitch` um apart, ready to be asked for places in `bounds`.
    pub(super) fn new(seed: u32, pitch: f32, jitter: f32, bounds: Bounds) -> Cells {
        let (x0, y0) = (
            floor(bounds.left / pitch) - 1,
            floor(bounds.top / pitch) - 1,
        );
        let columns = (floor(bounds.right / pitch) + 2 - x0) as usize;
        let rows = (floor(bounds.bottom / pitch) + 2 - y0) as usize;
        let mut sites = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                let (ix, iy) = (x0 + column as i32, y0 + row as i32);
                sites.push(site(ix, iy, seed, pitch, jitter));
            }
        }
        Cells {
            pitch,
            x0,
            y0,
            columns,
            sites,
        }
    }

    /// The cell at a place in um. Outside of the bounds, `None`.
    #[inline(always)]
    pub(super) fn at(&self, x: f32, y: f32) -> Option<Within> {
        let column = floor(x / self.pitch) - 1 - self.x0;
        let row = floor(y / self.pitch) - 1 - self.y0;
        debug_assert!(
            column >= 0 && row >= 0 && column + 2 < self.columns as i32,
            "a place outside of the bounds"
        );
        let first = row as usize * self.columns + column as usize;
        let mut near = Nearest::new();
        for step in 0..3 {
            let start = first.wrapping_add(step * self.columns);
            for site in self.sites.get(start..start.wrapping_add(3))? {
                near.see(*site, x, y);
            }
        }
        Some(near.within())
    }
}

/// As [`Cells::at`], worked out on the spot: for cells that are asked for in few places only.
pub(super) fn cell_at(seed: u32, pitch: f32, jitter: f32, x: f32, y: f32) -> Within {
    let (column, row) = (floor(x / pitch), floor(y / pitch));
    let mut near = Nearest::new();
    for dy in -1..=1 {
        for dx in -1..=1 {
            near.see(site(column + dx, row + dy, seed, pitch, jitter), x, y);
        }
    }
    near.within()
}

#[inline(always)]
fn site(column: i32, row: i32, seed: u32, pitch: f32, jitter: f32) -> Site {
    let bits = hash(column, row, seed);
    let across = unit(bits << 16) - 0.5;
    let down = unit(bits) - 0.5;
    Site {
        x: (column as f32 + 0.5 + across * jitter) * pitch,
        y: (row as f32 + 0.5 + down * jitter) * pitch,
        bits: super::noise::mix(bits),
    }
}

/// Keeps the two nearest sites.
struct Nearest {
    first: (f32, Site),
    second: (f32, Site),
}

impl Nearest {
    #[inline(always)]
    fn new() -> Nearest {
        let nowhere = Site {
            x: 0.0,
            y: 0.0,
            bits: 0,
        };
        Nearest {
            first: (f32::MAX, nowhere),
            second: (f32::MAX, nowhere),
        }
    }

    #[inline(always)]
    fn see(&mut self, site: Site, x: f32, y: f32) {
        let (dx, dy) = (x - site.x, y - site.y);
        let square = dx * dx + dy * dy;
        if square < self.first.0 {
            self.second = self.first;
            self.first = (square, site);
        } else if square < self.second.0 {
            self.second = (square, site);
        }
    }

    #[inline(always)]
    fn within(self) -> Within {
        let (one, two) = (self.first.1, self.second.1);
        let (dx, dy) = (one.x - two.x, one.y - two.y);
        let apart = (dx * dx + dy * dy).sqrt().max(1e-3);
        Within {
            own: one,
            next: two,
            edge: (self.second.0 - self.first.0) / (2.0 * apart),
            from_site: self.first.0.sqrt(),
        }
    }
}
