//! The bits of one tile of 256 x 256 px, and the word tricks on them.
//!
//! A row is four words; within a word the lowest bit is the leftmost pixel.

/// The side of a tile, in px.
pub(super) const SIDE: u32 = 256;
/// Words in a row of a tile.
pub(super) const ROW_WORDS: usize = 4;
/// Words in a tile.
pub(super) const WORDS: usize = ROW_WORDS * SIDE as usize;

/// All pixels of a tile, row after row.
pub(super) type Bits = [u64; WORDS];

/// A word whose `count` lowest bits are set; 64 or more gives all of them.
pub(super) fn low_ones(count: u32) -> u64 {
    1u64.checked_shl(count).map_or(u64::MAX, |bit| bit - 1)
}

/// The bits of a row's word `index` that lie in the columns `from..to` of the tile.
pub(super) fn word_mask(index: usize, from: u32, to: u32) -> u64 {
    let base = index as u32 * 64;
    low_ones(to.saturating_sub(base)) & !low_ones(from.saturating_sub(base))
}

/// Sets or clears the columns `from..to` of one row of a tile.
pub(super) fn fill_line(line: &mut [u64], from: u32, to: u32, value: bool) {
    for (index, word) in line.iter_mut().enumerate() {
        let mask = word_mask(index, from, to);
        if value {
            *word |= mask;
        } else {
            *word &= !mask;
        }
    }
}

/// Whether no pixel is set.
pub(super) fn is_zero(bits: &Bits) -> bool {
    bits.iter().all(|&word| word == 0)
}

/// Calls `put` with each run of set pixels of a tile's row, as a half-open range of columns. A run that crosses from one
/// word to the next comes in parts.
pub(super) fn runs_of_line(line: &[u64], mut put: impl FnMut(u32, u32)) {
    for (index, &word) in line.iter().enumerate() {
        let mut word = word;
        let base = index as u32 * 64;
        while word != 0 {
            let from = word.trailing_zeros();
            let to = from + (word >> from).trailing_ones();
            put(base + from, base + to);
            word &= !low_ones(to);
        }
    }
}

/// Packs up to 64 values of 0 or 1 into a word, the first into the lowest bit.
pub(super) fn pack(values: &[u8; 64]) -> u64 {
    // Each product moves byte i's bit to bit 56 + i; no two partial products meet, so none carries.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (eights, _) = values.as_chunks::<8>();
    eights.iter().enumerate().fold(0, |word, (index, &eight)| {
        word | (u64::from_le_bytes(eight).wrapping_mul(GATHER) >> 56) << (8 * index)
    })
}

/// Mirrors a block of 64 x 64 bits at its diagonal, by swapping ever smaller quarters.
fn transpose_64(block: &mut [u64; 64]) {
    let mut mask = u64::MAX >> 32;
    let mut step = 32;
    while step != 0 {
        for pair in block.chunks_exact_mut(2 * step) {
            let (upper, lower) = pair.split_at_mut(step);
            for (up, low) in upper.iter_mut().zip(lower) {
                let swap = ((*up >> step) ^ *low) & mask;
                *up ^= swap << step;
                *low ^= swap;
            }
        }
        step /= 2;
        mask ^= mask << step;
    }
}

/// Writes `from` mirrored at its diagonal to `to`: pixel (x, y) becomes pixel (y, x).
pub(super) fn transpose(from: &Bits, to: &mut Bits) {
    let mut block = [0; 64];
    for block_row in 0..ROW_WORDS {
        for block_column in 0..ROW_WORDS {
            let source = &from[block_row * 64 * ROW_WORDS..];
            let mut any = 0;
            for (line, word) in block.iter_mut().enumerate() {
                *word = source[line * ROW_WORDS + block_column];
                any |= *word;
            }
            if any != 0 {
                transpose_64(&mut block);
            }
            let target = &mut to[block_column * 64 * ROW_WORDS..];
            for (line, &word) in block.iter().enumerate() {
                target[line * ROW_WORDS + block_row] = word;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposing_moves_every_pixel() {
        let mut from = [0; WORDS];
        let mut state = 7u64;
        for word in &mut from {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(99);
            *word = state ^ (state >> 29);
        }
        // Some empty blocks, since those take a short cut.
        from[..64 * ROW_WORDS].fill(0);
        let mut to = [u64::MAX; WORDS];
        transpose(&from, &mut to);
        let bit = |bits: &Bits, x: usize, y: usize| bits[y * ROW_WORDS + x / 64] >> (x % 64) & 1;
        for y in 0..256 {
            for x in 0..256 {
                assert_eq!(bit(&from, x, y), bit(&to, y, x), "pixel ({x}, {y})");
            }
        }
    }

    #[test]
    fn masks_cover_exactly_their_columns() {
        for (from, to) in [
            (0, 0),
            (0, 1),
            (63, 64),
            (63, 65),
            (64, 128),
            (5, 250),
            (0, 256),
        ] {
            let mut line = [0; ROW_WORDS];
            fill_line(&mut line, from, to, true);
            for x in 0..256u32 {
                let set = line[x as usize / 64] >> (x % 64) & 1 == 1;
                assert_eq!(set, (from..to).contains(&x), "column {x} of {from}..{to}");
            }
            fill_line(&mut line, from, to, false);
            assert_eq!(line, [0; ROW_WORDS]);
        }
    }

    #[test]
    fn packing_keeps_the_order() {
        for bit in 0..64 {
            let mut values = [0; 64];
            values[bit] = 1;
            assert_eq!(pack(&values), 1 << bit);
        }
        assert_eq!(pack(&[1; 64]), u64::MAX);
    }
}
