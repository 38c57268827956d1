//! How many bits of 16-bit samples are in use, told by their values, and how they become 8 bits.
//!
//! Cameras of 10, 12 and 14 bits store their numbers in 16. Their upper bytes would make a picture that is nearly black.
//! 0 and the full 16 bits count for nothing here: programs pad edges with them.

/// The largest of the values that says something of their depth.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Largest(Option<u16>);

impl Largest {
    /// Looks at values.
    pub(super) fn see(&mut self, values: impl IntoIterator<Item = u16>) {
        let telling = values.into_iter().filter(|&v| v != 0 && v != u16::MAX);
        self.0 = self.0.max(telling.max());
    }

    /// The bits in use, 8, 10, 12, 14 or 16, and the largest value; none where no value says anything.
    pub(super) fn bits(self) -> Option<(u32, u16)> {
        let largest = self.0?;
        let bits = [8, 10, 12, 14]
            .into_iter()
            .find(|bits| largest >> bits == 0);
        Some((bits.unwrap_or(16), largest))
    }
}

/// What is said to the user of samples that use fewer bits than there are.
pub(super) fn doubt(bits: u32, largest: u16) -> String {
    format!(
        "the samples have 16 bits and use {bits} of them (the largest is {largest}); {} is taken as full brightness",
        (1_u32 << bits) - 1
    )
}

/// The same where the file says how many bits are in use.
pub(super) fn stated_doubt(bits: u32, who: &str) -> String {
    format!(
        "the samples have 16 bits and use {bits} of them ({who}); {} is taken as full brightness",
        (1_u32 << bits) - 1
    )
}

/// A wide sample as 8 bits: the upper ones of those in use. Padding of full scale stays the brightest.
///
/// # Errors
/// When a colour uses more bits.
pub(super) fn narrow(value: u16, bits: u32, is_colour: bool) -> Result<u8, Deeper> {
    let byte = value >> (bits - 8);
    match u8::try_from(byte) {
        Ok(byte) => Ok(byte),
        Err(_) if value == u16::MAX || !is_colour => Ok(u8::MAX),
        Err(_) => Err(Deeper { value, bits }),
    }
}

/// A sample that uses more bits than those that were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deeper {
    value: u16,
    bits: u32,
}

impl std::fmt::Display for Deeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Deeper { value, bits } = self;
        write!(
            f,
            "a sample is {value}, although the ones that were checked use {bits} of their 16 bits; convert the file to 8-bit RGB"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(values: &[u16]) -> Option<u32> {
        let mut largest = Largest::default();
        largest.see(values.iter().copied());
        largest.bits().map(|(bits, _)| bits)
    }

    #[test]
    fn values_show_how_many_bits_they_use() {
        assert_eq!(bits(&[0, 3, 255]), Some(8));
        assert_eq!(bits(&[1023]), Some(10));
        assert_eq!(bits(&[1024, 4095]), Some(12));
        assert_eq!(bits(&[16_383]), Some(14));
        assert_eq!(bits(&[16_384]), Some(16));
        // Padding of either kind says nothing.
        assert_eq!(bits(&[0, u16::MAX, 4000]), Some(12));
        assert_eq!(bits(&[0, u16::MAX]), None);
    }

    #[test]
    fn the_upper_bits_in_use_are_taken() {
        assert_eq!(narrow(0x1234, 16, true), Ok(0x12));
        assert_eq!(narrow(0x0fff, 12, true), Ok(255));
        assert_eq!(narrow(128 << 2, 10, true), Ok(128));
        assert_eq!(narrow(u16::MAX, 10, true), Ok(255));
        assert_eq!(narrow(77, 8, true), Ok(77));
        assert!(narrow(0x1000, 12, true).is_err());
        assert_eq!(narrow(0x1000, 12, false), Ok(255));
    }
}
