//! Says what looks doubtful about a slide that was routed: cells that the router was unsure of.

use ftuseg_router::{OrganMap, Target};

use crate::slide::warning::{Warning, WarningKind};

/// A warning if the router was unsure of some cells. `limit` is the confidence from which it is sure.
pub(super) fn unsure(map: &OrganMap, limit: f32, fallback: Target) -> Option<Warning> {
    let grid = map.grid();
    let (mut under, mut all) = (0_usize, 0_usize);
    for row in 0..grid.rows() {
        for column in 0..grid.columns() {
            if map.at(column, row).is_some() {
                all += 1;
                under += usize::from(map.confidence_at(column, row) < limit);
            }
        }
    }
    (under > 0).then(|| {
        Warning::new(
            WarningKind::Unsure,
            format!(
                "the router was unsure (confidence under {limit}) of {under} of {all} cells of tissue ({:.0} %), which went to {fallback}",
                under as f64 / all as f64 * 100.0
            ),
        )
    })
}
