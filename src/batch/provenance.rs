//! Says who makes the results of a batch, for the records.

use ftuseg_records::Provenance;

use super::Batch;
use crate::sink::provenance;

impl Batch<'_> {
    /// Who makes the results, and with which settings.
    pub fn provenance(&self) -> Provenance {
        provenance(
            self.engine,
            self.resolution,
            self.sink_options,
            self.outputs,
        )
    }
}
