//! What organs and their units are called in the coding schemes of DICOM (PS3.16, chapter 8).

use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use ftuseg_router::{Organ, Target};

use super::elements::set;

/// A code: its value, its scheme, its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(&'static str, &'static str, &'static str);

/// What all segments are (CID 7150).
pub(super) const ANATOMICAL_STRUCTURE: Code = Code("91723000", "SCT", "Anatomical Structure");
/// How objects were found (CID 7162).
pub(super) const ARTIFICIAL_INTELLIGENCE: Code = Code("123110", "DCM", "Artificial Intelligence");
/// How the image came about (CID 7203).
pub(super) const SEGMENTATION: Code = Code("113076", "DCM", "Segmentation");
/// What the source image is to it (CID 7202).
pub(super) const SOURCE_IMAGE: Code = Code(
    "121322",
    "DCM",
    "Source image for image processing operation",
);
/// What the specimen lies on (CID 8101).
pub(super) const SLIDE: Code = Code("433466003", "SCT", "Microscope slide");

impl Code {
    /// The item of a code sequence.
    pub fn item(self) -> InMemDicomObject {
        let mut item = InMemDicomObject::new_empty();
        set(&mut item, tags::CODE_VALUE, self.0);
        set(&mut item, tags::CODING_SCHEME_DESIGNATOR, self.1);
        set(&mut item, tags::CODE_MEANING, self.2);
        item
    }
}

/// What the objects of a target are. SNOMED CT where it has a name for them, else the Foundational Model of Anatomy. What a
/// network for all organs finds has no code in either.
pub(super) fn unit(target: Target) -> Code {
    match target.organ() {
        Some(Organ::Kidney) => Code("68288006", "SCT", "Glomerulus"),
        Some(Organ::Prostate) => Code("66808", "FMA", "Prostatic acinus"),
        Some(Organ::LargeIntestine) => Code("118652008", "SCT", "Crypt of Lieberkuhn"),
        Some(Organ::Spleen) => Code("62805", "FMA", "White pulp of spleen"),
        Some(Organ::Lung) => Code("113253006", "SCT", "Pulmonary alveolus"),
        None => Code("FTU", "99FTUSEG", "Functional tissue unit"),
    }
}

/// Where they lie, if that is known.
pub(super) fn region(target: Target) -> Option<Code> {
    target.organ().map(|organ| match organ {
        Organ::Kidney => Code("64033007", "SCT", "Kidney"),
        Organ::Prostate => Code("41216001", "SCT", "Prostate"),
        Organ::LargeIntestine => Code("14742008", "SCT", "Large intestine"),
        Organ::Spleen => Code("78961009", "SCT", "Spleen"),
        Organ::Lung => Code("39607008", "SCT", "Lung"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last digit of an id of SNOMED CT is Verhoeff's check digit over the others.
    fn is_checked(id: &str) -> bool {
        const PERMUTATION: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
        // The dihedral group of the pentagon: turns are 0..5, mirrored ones 5..10.
        let product = |a: usize, b: usize| match (a / 5, b / 5) {
            (0, 0) => (a + b) % 5,
            (0, _) => 5 + (a + b) % 5,
            (_, 0) => 5 + (a + 5 - b) % 5,
            _ => (a + 5 - b) % 5,
        };
        let digits = id.bytes().rev().enumerate();
        let sum = digits.fold(0, |sum, (place, digit)| {
            let permuted = (0..place).fold(usize::from(digit - b'0'), |d, _| PERMUTATION[d]);
            product(sum, permuted)
        });
        sum == 0
    }

    #[test]
    fn ids_of_snomed_ct_have_their_check_digits() {
        assert!(!is_checked("68288007") && !is_checked("62888006"));
        let targets = Organ::ALL.map(Target::Organ);
        let units = targets.map(unit).into_iter();
        let regions = targets.into_iter().filter_map(region);
        let others = [ANATOMICAL_STRUCTURE, SLIDE].into_iter();
        let mut checked = 0;
        for Code(value, scheme, meaning) in units.chain(regions).chain(others) {
            // LO and SH are so long.
            assert!(meaning.len() <= 64 && value.len() <= 16);
            if scheme == "SCT" {
                assert!(is_checked(value), "{value} {meaning}");
                checked += 1;
            }
        }
        assert_eq!(checked, 10);
    }
}
