//! The exact Euclidean distance of each cell from the nearest cell outside (Felzenszwalb and Huttenlocher 2012).

/// The square of the distance of each cell's middle from the nearest middle of a cell outside, in cells; 0 outside.
/// `inside` holds the cells row after row; its outermost cells must be outside.
pub(super) fn squared(inside: &[bool], width: usize) -> Vec<u32> {
    let height = inside.len() / width;
    // Along columns first: a scan down and one up.
    let mut rows: Vec<u32> = vec![0; inside.len()];
    for place in width..inside.len() {
        if inside[place] {
            rows[place] = rows[place - width] + 1;
        }
    }
    for place in (0..inside.len() - width).rev() {
        rows[place] = rows[place].min(rows[place + width] + 1);
    }
    let mut parabolas = Parabolas::new(width);
    for y in 0..height {
        parabolas.lower_envelope(&mut rows[y * width..(y + 1) * width]);
    }
    rows
}

/// The lower envelope of parabolas with one over each cell of a row; its vectors are used again.
struct Parabolas {
    /// The squares of the distances along the columns.
    squares: Vec<u64>,
    /// The cells whose parabolas make the envelope.
    over: Vec<usize>,
    /// The first cell in which each of them is lowest.
    from: Vec<usize>,
}

impl Parabolas {
    fn new(width: usize) -> Self {
        Parabolas {
            squares: vec![0; width],
            over: Vec::with_capacity(width),
            from: Vec::with_capacity(width),
        }
    }

    /// Turns distances along columns into squares of distances in the plane.
    fn lower_envelope(&mut self, row: &mut [u32]) {
        for (square, &distance) in self.squares.iter_mut().zip(&*row) {
            *square = u64::from(distance) * u64::from(distance);
        }
        self.over.clear();
        self.from.clear();
        for cell in 0..row.len() {
            let mut start = 0;
            while let (Some(&other), Some(&from)) = (self.over.last(), self.from.last()) {
                start = self.first_below(other, cell);
                if start > from {
                    break;
                }
                self.over.pop();
                self.from.pop();
                start = 0;
            }
            if start < row.len() {
                self.over.push(cell);
                self.from.push(start);
            }
        }
        let mut place = 0;
        for (cell, value) in row.iter_mut().enumerate() {
            while self.from.get(place + 1).is_some_and(|&from| from <= cell) {
                place += 1;
            }
            let over = self.over[place];
            let apart = cell.abs_diff(over) as u64;
            // The outermost cells are outside and no side is over 2^22 cells, so a square is at most that of a side that
            // the number of cells allows.
            *value = u32::try_from(self.squares[over] + apart * apart).unwrap_or(u32::MAX);
        }
    }

    /// The first cell in which the parabola over `right` is strictly lower than that over `left`, or as many as there are.
    fn first_below(&self, left: usize, right: usize) -> usize {
        let (a, b) = (self.squares[left] as i64, self.squares[right] as i64);
        let (left, right) = (left as i64, right as i64);
        let twice = 2 * (right - left);
        // (q - right)^2 + b < (q - left)^2 + a
        let over = b + right * right - a - left * left;
        let first = over.div_euclid(twice) + 1;
        usize::try_from(first).unwrap_or(0).min(self.squares.len())
    }
}
