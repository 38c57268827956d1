//! Estimates how much of a batch is left, from the tiles of all slides: those that are planned already, and those that
//! slides of such an area had.

use std::time::Instant;

/// What is known of the work of a batch.
pub(super) struct Remaining {
    /// Area of each slide, where it is known before its turn.
    areas: Vec<Option<f64>>,
    /// Places of the slides that are still to come.
    waiting: Vec<usize>,
    /// Tiles planned, and the area they are of, in the slides whose plan is known.
    planned: u64,
    planned_area: f64,
    planned_slides: u64,
    /// Tiles that are done.
    inferred: u64,
    started: Option<Instant>,
    /// The slide at hand.
    at_hand: Option<usize>,
    /// Its tiles planned and done.
    current: (u64, u64),
}

impl Remaining {
    /// A batch whose slides have these areas, in any unit.
    pub(super) fn new(areas: Vec<Option<f64>>) -> Self {
        Remaining {
            areas,
            waiting: Vec::new(),
            planned: 0,
            planned_area: 0.0,
            planned_slides: 0,
            inferred: 0,
            started: None,
            at_hand: None,
            current: (0, 0),
        }
    }

    /// Says which slides are to be done.
    pub(super) fn plan(&mut self, todo: &[usize]) {
        self.waiting = todo.to_vec();
    }

    /// A slide begins.
    pub(super) fn begin(&mut self, index: usize) {
        self.close();
        self.started.get_or_insert_with(Instant::now);
        self.at_hand = Some(index);
    }

    /// The tiles of the slide at hand.
    pub(super) fn tiles(&mut self, index: usize, planned: u64, inferred: u64) {
        if self.current.0 == 0 && planned > 0 {
            self.planned += planned;
            self.planned_slides += 1;
            self.planned_area += self.area(index).unwrap_or_default();
            self.waiting.retain(|&other| other != index);
        }
        self.current = (planned, inferred);
    }

    fn close(&mut self) {
        let last = self.at_hand.take();
        self.waiting.retain(|&other| Some(other) != last);
        self.inferred += self.current.1;
        // A slide that failed half-way does no more.
        self.planned -= (self.current.0 - self.current.1).min(self.planned);
        self.current = (0, 0);
    }

    fn area(&self, index: usize) -> Option<f64> {
        self.areas.get(index).copied().flatten()
    }

    /// Tiles that are done, and how many there will be; none before the first slide's are known.
    pub(super) fn so_far(&self) -> Option<(u64, u64)> {
        if self.planned_slides == 0 {
            return None;
        }
        let by_slide = self.planned as f64 / self.planned_slides as f64;
        let expected: f64 = self
            .waiting
            .iter()
            .map(|&index| match self.area(index) {
                Some(area) if self.planned_area > 0.0 => {
                    self.planned as f64 * area / self.planned_area
                }
                _ => by_slide,
            })
            .sum();
        Some((
            self.inferred + self.current.1,
            self.planned + expected.round() as u64,
        ))
    }

    /// Seconds that are left, as far as can be told.
    pub(super) fn seconds(&self) -> Option<f64> {
        let elapsed = self.started?.elapsed().as_secs_f64();
        let (done, all) = self.so_far()?;
        (done > 0).then(|| elapsed * all.saturating_sub(done) as f64 / done as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_of_slides_to_come_follow_their_area() {
        let mut left = Remaining::new(vec![Some(1.0), Some(3.0), None, Some(9.0)]);
        // The last one is there already.
        left.plan(&[0, 1, 2]);
        assert_eq!(left.so_far(), None);
        left.begin(0);
        assert_eq!((left.so_far(), left.seconds()), (None, None));
        left.tiles(0, 10, 0);
        // 10 for an area of 1, 30 for 3, and the mean of the slides so far for the one of which nothing is known.
        assert_eq!(left.so_far(), Some((0, 50)));
        left.tiles(0, 10, 10);
        assert_eq!(left.so_far(), Some((10, 50)));
        assert!(left.seconds().is_some());
        left.begin(1);
        left.tiles(1, 50, 5);
        // 60 tiles for an area of 4 in 2 slides.
        assert_eq!(left.so_far(), Some((15, 90)));
        // It fails: what it did stays, what it would have done does not.
        left.begin(2);
        assert_eq!(left.so_far(), Some((15, 15 + 8)));
        left.tiles(2, 5, 5);
        assert_eq!(left.so_far(), Some((20, 20)));
    }
}
