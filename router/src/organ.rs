//! The five organs, and what a piece of tissue can be sent to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::RouterError;

/// An organ of the challenge, named as Kaggle's files name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Organ {
    /// Kidney; its FTU is the glomerulus.
    Kidney,
    /// Prostate; its FTU is the gland.
    Prostate,
    /// Large intestine; its FTU is the crypt.
    LargeIntestine,
    /// Spleen; its FTU is the white pulp.
    Spleen,
    /// Lung; its FTU is the alveolus.
    Lung,
}

impl Organ {
    /// All organs, in the order of the project's own bundle.
    pub const ALL: [Organ; 5] = [
        Organ::Kidney,
        Organ::Prostate,
        Organ::LargeIntestine,
        Organ::Spleen,
        Organ::Lung,
    ];

    /// The name in Kaggle's files: `kidney`, `prostate`, `largeintestine`, `spleen`, `lung`.
    pub fn name(self) -> &'static str {
        match self {
            Organ::Kidney => "kidney",
            Organ::Prostate => "prostate",
            Organ::LargeIntestine => "largeintestine",
            Organ::Spleen => "spleen",
            Organ::Lung => "lung",
        }
    }

    /// The name for people: `kidney`, `prostate`, `large intestine`, `spleen`, `lung`.
    pub fn label(self) -> &'static str {
        match self {
            Organ::LargeIntestine => "large intestine",
            other => other.name(),
        }
    }

    /// What one object is called, for people and for QuPath's classifications.
    pub fn ftu(self) -> &'static str {
        match self {
            Organ::Kidney => "Glomerulus",
            Organ::Prostate => "Prostate gland",
            Organ::LargeIntestine => "Crypt",
            Organ::Spleen => "White pulp",
            Organ::Lung => "Alveolus",
        }
    }
}

impl fmt::Display for Organ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Organ {
    type Err = RouterError;

    /// As people type it: in any case, and with blanks, hyphens or underscores between the words.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_between = |letter: char| letter.is_whitespace() || matches!(letter, '-' | '_');
        let name = text.to_lowercase().replace(is_between, "");
        Organ::ALL
            .into_iter()
            .find(|organ| organ.name() == name)
            .ok_or_else(|| RouterError::UnknownOrgan(text.to_owned()))
    }
}

/// Where a cell of tissue is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// The model of one organ.
    Organ(Organ),
    /// The single EfficientNet-B0 U-Net for all organs; also where unsure cells go.
    Baseline,
    /// The standard U-Net for all organs.
    Unet,
    /// Nothing: the tissue is none of the organs that the classifier knows, so no model is asked.
    Other,
}

impl Target {
    /// The organ's name, `baseline`, `unet` or `other`.
    pub fn name(self) -> &'static str {
        match self {
            Target::Organ(organ) => organ.name(),
            Target::Baseline => "baseline",
            Target::Unet => "unet",
            Target::Other => "other",
        }
    }

    /// The name for people: as [`Target::name`], but `large intestine`.
    pub fn label(self) -> &'static str {
        match self {
            Target::Organ(organ) => organ.label(),
            other => other.name(),
        }
    }

    /// The target that [`Target::name`] calls so.
    pub fn named(name: &str) -> Option<Self> {
        let others = [Target::Baseline, Target::Unet, Target::Other];
        let organs = Organ::ALL.into_iter().map(Target::Organ);
        organs.chain(others).find(|target| target.name() == name)
    }

    /// The organ, where the target is one organ's model.
    pub fn organ(self) -> Option<Organ> {
        match self {
            Target::Organ(organ) => Some(organ),
            Target::Baseline | Target::Unet | Target::Other => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kaggles_and_come_back() {
        for organ in Organ::ALL {
            assert_eq!(organ.name().parse::<Organ>(), Ok(organ));
            assert_eq!(organ.label().parse::<Organ>(), Ok(organ));
            assert_eq!(Target::named(organ.name()), Some(Target::Organ(organ)));
        }
        assert_eq!(Target::named("unet"), Some(Target::Unet));
        assert_eq!(Target::named("large intestine"), None);
    }

    #[test]
    fn people_type_names_as_they_like() {
        for (text, organ) in [
            ("Kidney", Organ::Kidney),
            ("LUNG", Organ::Lung),
            ("large intestine", Organ::LargeIntestine),
            ("Large_Intestine", Organ::LargeIntestine),
            ("large-intestine ", Organ::LargeIntestine),
        ] {
            assert_eq!(text.parse::<Organ>(), Ok(organ), "{text:?}");
        }
        for text in ["", "liver", "kidneys", "large"] {
            let unknown = RouterError::UnknownOrgan(text.to_owned());
            assert_eq!(text.parse::<Organ>(), Err(unknown));
        }
    }
}
