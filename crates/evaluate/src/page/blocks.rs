//! What the page is made of: sections with texts, tables and figures, in their order.

use serde::Serialize;

use super::charts::Figure;
use super::table::Table;

/// A part of the page with a link of its own.
#[derive(Debug, Serialize)]
pub(super) struct Section {
    /// Its place in the address.
    pub id: &'static str,
    /// Its name.
    pub title: &'static str,
    /// What stands in it.
    pub blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Block {
    /// A name above what follows.
    Heading(String),
    /// A sentence or a few.
    Text(String),
    /// The same in small letters.
    Small(String),
    /// A text to copy, with its name.
    Copy(String, String),
    /// A file's lines to copy.
    Code(String),
    /// A table.
    Table(Table),
    /// A figure.
    Figure(Figure),
    /// Blocks next to each other, where there is room.
    Row(Vec<Block>),
    /// Blocks that are unfolded when they are wanted: the fold's name, and whether it is open at first.
    Fold(String, bool, Vec<Block>),
}

/// All tables of some blocks, and all figures, in their order.
pub(super) fn pieces<'a>(
    blocks: &'a [Block],
    tables: &mut Vec<&'a Table>,
    figures: &mut Vec<&'a Figure>,
) {
    for block in blocks {
        match block {
            Block::Table(table) => tables.push(table),
            Block::Figure(figure) => figures.push(figure),
            Block::Row(blocks) | Block::Fold(_, _, blocks) => pieces(blocks, tables, figures),
            _ => {}
        }
    }
}
