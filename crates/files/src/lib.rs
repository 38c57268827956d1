//! Reads files that others made within limits, and writes files whole or not at all.

pub mod plain;
#[cfg(feature = "table")]
pub mod table;
pub mod whole;
