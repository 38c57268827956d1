//! The engine end to end: routing, tiles, stitching and tissue, with networks whose answer is known by heart, and the bundle
//! that the project ships.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod backends;
mod bundle;
mod evaluate;
mod examples;
mod kaggle_rle;
mod lanes;
mod messages;
mod regions;
mod routing;
mod stitch;
mod support;
mod tissue;
