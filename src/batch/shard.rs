//! Splits a batch among machines: a slide's id alone decides which shard it is in.

use std::str::FromStr;

use ftuseg_records::ShardNote;
use sha2::{Digest, Sha256};

use super::Job;

/// The most shards of a batch, since whoever joins them lists them all.
pub const MAX_SHARDS: u32 = 10_000;

/// A shard of a batch: number `index` of `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    pub index: u32,
    /// How many shards there are.
    pub of: u32,
}

/// Says what is impossible about a note that was read.
pub(super) fn check(note: &ShardNote) -> Result<(), String> {
    format!("{}/{}", note.index, note.of)
        .parse::<Shard>()
        .map(drop)
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected a shard and the number of shards, from 1/N to N/N".to_owned();
        let (index, of) = text.split_once('/').ok_or_else(wrong)?;
        let (index, of): (u32, u32) = (
            index.parse().map_err(|_| wrong())?,
            of.parse().map_err(|_| wrong())?,
        );
        if of > MAX_SHARDS {
            return Err(format!("{of} shards; the maximum is {MAX_SHARDS}"));
        }
        if (1..=of).contains(&index) {
            Ok(Shard { index, of })
        } else {
            Err(wrong())
        }
    }
}

impl Shard {
    /// Whether a slide is in this shard. The same id is in the same shard on every machine, whatever other slides there
    /// are.
    pub fn holds(self, id: &str) -> bool {
        let sum = Sha256::digest(id.as_bytes());
        let number = sum[..8]
            .iter()
            .fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
        number % u64::from(self.of) == u64::from(self.index - 1)
    }

    /// The shard's jobs out of all, and what to note of it.
    pub fn take(self, jobs: Vec<Job>) -> (Vec<Job>, ShardNote) {
        let note = ShardNote {
            index: self.index,
            of: self.of,
            batch: jobs.iter().map(|job| job.id.clone()).collect(),
        };
        let ours = jobs.into_iter().filter(|job| self.holds(&job.id)).collect();
        (ours, note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slide_is_in_one_shard_and_stays_there() {
        for of in [1_u32, 2, 3, 7] {
            let mut counts = vec![0; of as usize];
            for number in 0..700 {
                let id = format!("slide-{number}");
                let shards: Vec<u32> = (1..=of)
                    .filter(|&index| Shard { index, of }.holds(&id))
                    .collect();
                assert_eq!(shards.len(), 1, "{id}");
                counts[shards[0] as usize - 1] += 1;
            }
            // Even enough: within a third of the mean.
            let mean = 700 / of;
            assert!(
                counts.iter().all(|&count| count * 3 > mean * 2),
                "{counts:?}"
            );
        }
        // Fixed for ever: shards made by different versions must fit together.
        let shard = |id: &str| (1..=8).find(|&index| Shard { index, of: 8 }.holds(id));
        assert_eq!([shard("10044"), shard("a")], [Some(8), Some(3)]);
    }

    #[test]
    fn a_shard_is_written_as_a_fraction() {
        assert_eq!("2/5".parse(), Ok(Shard { index: 2, of: 5 }));
        let error = "1/200000".parse::<Shard>().unwrap_err();
        assert!(error.contains("the maximum is 10000"), "{error}");
        for wrong in ["0/5", "6/5", "1/0", "1", "/", "a/b", "-1/3", "1/3/4", ""] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
