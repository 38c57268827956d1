//! The terms of organs and units in UBERON, an ontology of the OBO Foundry, and what masks are called.

use ftuseg_router::{Organ, Target};

/// What an organ's units are to HuBMAP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The mask's name, its channel's and that of its table.
    pub mask: &'static str,
    /// The unit: `UBERON:0000074`.
    pub unit: &'static str,
    /// The organ: `UBERON:0002113`.
    pub organ: &'static str,
}

/// The terms of a target; none for networks for all organs, whose units nobody can name.
pub fn terms(target: Target) -> Option<Terms> {
    let terms = |mask, unit, organ| Some(Terms { mask, unit, organ });
    match target.organ()? {
        Organ::Kidney => terms("glomeruli", "UBERON:0000074", "UBERON:0002113"),
        Organ::Prostate => terms("prostate-acini", "UBERON:0004179", "UBERON:0002367"),
        Organ::LargeIntestine => terms("crypts", "UBERON:0001984", "UBERON:0000059"),
        Organ::Spleen => terms("white-pulp", "UBERON:0001959", "UBERON:0002106"),
        Organ::Lung => terms("alveoli", "UBERON:0002299", "UBERON:0002048"),
    }
}
