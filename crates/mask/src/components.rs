//! Groups runs that touch into connected parts, row by row.
//!
//! A part is handed over as soon as no later row can touch it, so only the parts that cross the present row are in
//! memory: a slide's objects never are all at once. (Union-find over the runs of neighbouring rows; Rosenfeld and
//! Pfaltz 1966, on runs instead of pixels.)

use super::objects::{Run, Tally};

/// What is known of a part so far.
struct Part<T> {
    runs: Vec<Run>,
    /// What was counted of its runs.
    tally: T,
    area: u64,
    /// Whether the runs are still in order: they are until two parts become one.
    in_order: bool,
    /// Not wanted: its runs are no longer kept, and it is never handed over.
    dropped: bool,
    /// The last row with a run of this part.
    last_row: u32,
    /// The part that this one has become one with; itself until then.
    parent: usize,
}

/// Groups runs, which come sorted by row and column and do not touch within a row.
pub(super) struct Components<Open, T = ()> {
    /// Whether runs that meet at a corner touch.
    diagonal: bool,
    /// Parts of more px are dropped.
    most: u64,
    /// Parts with a run of which this holds are dropped.
    open: Open,
    parts: Vec<Part<T>>,
    /// Places in `parts` that can be used again.
    free: Vec<usize>,
    /// Parts that became one with another since the last row ended.
    merged: Vec<usize>,
    /// The runs of the row before, with their parts.
    above: Vec<(Run, usize)>,
    /// The runs of the present row, with their parts.
    row: Vec<(Run, usize)>,
    /// The first run of the row above that can still touch the present row's next one.
    next_above: usize,
}

impl<Open: Fn(&Run) -> bool, T: Tally> Components<Open, T> {
    pub(super) fn new(diagonal: bool, most: u64, open: Open) -> Self {
        Components {
            diagonal,
            most,
            open,
            parts: Vec::new(),
            free: Vec::new(),
            merged: Vec::new(),
            above: Vec::new(),
            row: Vec::new(),
            next_above: 0,
        }
    }

    /// Adds the next run with what was counted of it. `done` gets the runs, in order, of each part that ended before its
    /// row, and the sum of what was counted.
    pub(super) fn add(&mut self, run: Run, tally: T, mut done: impl FnMut(Vec<Run>, T)) {
        if let Some(&(last, _)) = self.row.last()
            && last.y != run.y
        {
            self.end_row(&mut done);
            if last.y + 1 != run.y {
                self.end_row(&mut done);
            }
        }
        let reach = u32::from(self.diagonal);
        // Runs that end before this one begins cannot touch the next ones of this row either.
        while let Some((other, _)) = self.above.get(self.next_above)
            && other.end + reach <= run.start
        {
            self.next_above += 1;
        }
        let mut found: Option<usize> = None;
        for place in self.next_above..self.above.len() {
            let (other, part) = self.above[place];
            if other.start >= run.end + reach {
                break;
            }
            let root = self.root(part);
            found = Some(match found {
                Some(first) if first != root => self.join(first, root),
                _ => root,
            });
        }
        let part = found.unwrap_or_else(|| self.new_part());
        let drop = (self.open)(&run);
        let known = &mut self.parts[part];
        known.area += run.area();
        known.tally.add(tally);
        known.last_row = run.y;
        known.dropped |= drop || known.area > self.most;
        if known.dropped {
            known.runs = Vec::new();
        } else {
            known.runs.push(run);
        }
        self.row.push((run, part));
    }

    /// Hands over the parts that reach the last row.
    pub(super) fn finish(mut self, mut done: impl FnMut(Vec<Run>, T)) {
        self.end_row(&mut done);
        self.end_row(&mut done);
    }

    /// Hands over the parts that end above the present row, and makes that the row above.
    fn end_row(&mut self, done: &mut impl FnMut(Vec<Run>, T)) {
        let y = self.row.first().map(|(run, _)| run.y);
        for place in 0..self.row.len() {
            self.row[place].1 = self.root(self.row[place].1);
        }
        for place in 0..self.above.len() {
            let root = self.root(self.above[place].1);
            let part = &mut self.parts[root];
            // A part is taken once, though many runs of the row above may be its.
            if part.area == 0 || Some(part.last_row) == y {
                continue;
            }
            part.area = 0;
            self.free.push(root);
            let mut runs = std::mem::take(&mut part.runs);
            let tally = std::mem::take(&mut part.tally);
            if part.dropped {
                continue;
            }
            if !part.in_order {
                runs.sort_unstable_by_key(|run| (run.y, run.start));
            }
            done(runs, tally);
        }
        // Nothing speaks of them any more: all runs of the present row name the parts they became.
        self.free.append(&mut self.merged);
        std::mem::swap(&mut self.above, &mut self.row);
        self.row.clear();
        self.next_above = 0;
    }

    fn new_part(&mut self) -> usize {
        let place = self.free.pop().unwrap_or(self.parts.len());
        let part = Part {
            runs: Vec::new(),
            tally: T::default(),
            area: 0,
            in_order: true,
            dropped: false,
            last_row: 0,
            parent: place,
        };
        match self.parts.get_mut(place) {
            Some(old) => *old = part,
            None => self.parts.push(part),
        }
        place
    }

    /// Makes two parts one, and says which; the one with fewer runs gives them to the other.
    fn join(&mut self, one: usize, two: usize) -> usize {
        let (into, from) = match self.parts[one].runs.len() < self.parts[two].runs.len() {
            true => (two, one),
            false => (one, two),
        };
        let given = &mut self.parts[from];
        given.parent = into;
        let (runs, area) = (std::mem::take(&mut given.runs), given.area);
        let (dropped, last_row) = (given.dropped, given.last_row);
        let tally = std::mem::take(&mut given.tally);
        self.merged.push(from);
        let kept = &mut self.parts[into];
        kept.area += area;
        kept.tally.add(tally);
        kept.last_row = kept.last_row.max(last_row);
        kept.dropped |= dropped || kept.area > self.most;
        if kept.dropped {
            kept.runs = Vec::new();
        } else {
            kept.runs.extend(runs);
            kept.in_order = false;
        }
        into
    }

    /// The part that a part has become; halves the way for the next who asks.
    fn root(&mut self, mut part: usize) -> usize {
        while self.parts[part].parent != part {
            let next = self.parts[part].parent;
            self.parts[part].parent = self.parts[next].parent;
            part = next;
        }
        part
    }
}
