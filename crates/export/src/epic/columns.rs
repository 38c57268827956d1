//! The columns of the table of a mask: those of HuBMAP's template, and the figures of a run.

/// Where X, Y and Z are said to be defined, as the template has it.
const CENTROIDS: &str = "10.1038/s41587-021-01044-w";
/// Where the terms are said to be defined, as the template has it.
const TERMS: &str = "10.1016/j.cell.2021.04.048";

/// What the header says of a column.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) unit: &'static str,
    pub(super) class: &'static str,
    pub(super) about: &'static str,
    pub(super) doi: &'static str,
    pub(super) needed: &'static str,
    /// Where its value comes from.
    pub(super) value: Value,
}

#[derive(Clone, Copy)]
pub(super) enum Value {
    SourceFile,
    Mask,
    MaskId,
    Protocol,
    Tool,
    Organ,
    /// The px in which the centroid lies, by axis.
    Centroid(usize),
    Zero,
    /// A column of `objects.csv`.
    Field(&'static str),
}

const fn needed(
    name: &'static str,
    kind: &'static str,
    class: &'static str,
    about: &'static str,
    value: Value,
) -> Column {
    Column {
        name,
        kind,
        unit: "",
        class,
        about,
        doi: "",
        needed: "REQUIRED",
        value,
    }
}

const fn place(name: &'static str, about: &'static str, value: Value) -> Column {
    Column {
        unit: "pixel",
        doi: CENTROIDS,
        ..needed(name, "integer", "spatial", about, value)
    }
}

const fn feature(
    name: &'static str,
    kind: &'static str,
    unit: &'static str,
    about: &'static str,
    field: &'static str,
) -> Column {
    Column {
        unit,
        needed: "OPTIONAL",
        ..needed(name, kind, "morphology", about, Value::Field(field))
    }
}

/// The columns behind `Object ID`. Those up to Z are the template's, in its order.
pub(super) const COLUMNS: &[Column] = &[
    needed(
        "Source file",
        "text",
        "mask",
        "The name of the OME TIFF file that contains the mask.",
        Value::SourceFile,
    ),
    needed(
        "Mask name",
        "text",
        "mask",
        "The name of the mask, which is that of a channel in the OME TIFF file.",
        Value::Mask,
    ),
    needed(
        "Mask ID",
        "obo id",
        "mask",
        "The term of the objects in the mask, in an ontology of the OBO Foundry.",
        Value::MaskId,
    ),
    needed(
        "Protocol for mask creation (DOI)",
        "doi",
        "mask",
        "The protocol by which the mask was made.",
        Value::Protocol,
    ),
    Column {
        // Its permissible values stand in a row of their own.
        ..needed(
            "Annotation tool",
            "text",
            "mask",
            "The tool that annotated the objects.",
            Value::Tool,
        )
    },
    Column {
        doi: TERMS,
        needed: "OPTIONAL",
        ..needed(
            "Object type",
            "obo id",
            "ontology",
            "The term of the object.",
            Value::MaskId,
        )
    },
    place(
        "X",
        "The column of pixels in which the object's centroid lies, from 0 at the left.",
        Value::Centroid(0),
    ),
    place(
        "Y",
        "The row of pixels in which the object's centroid lies, from 0 at the top.",
        Value::Centroid(1),
    ),
    place("Z", "There is one plane.", Value::Zero),
    Column {
        needed: "OPTIONAL",
        ..needed(
            "Anatomical structure",
            "obo id",
            "ontology",
            "The term of the organ.",
            Value::Organ,
        )
    },
    feature(
        "Area",
        "float",
        "square micrometer",
        "The object's area without its holes.",
        "area_um2",
    ),
    feature(
        "Area in pixels",
        "integer",
        "pixel",
        "The number of its pixels.",
        "area_px",
    ),
    feature(
        "Perimeter",
        "float",
        "",
        "The length of its border and those of its holes, in micrometers.",
        "perimeter_um",
    ),
    feature(
        "Equivalent diameter",
        "float",
        "",
        "The diameter of a circle of the same area, in micrometers.",
        "equivalent_diameter_um",
    ),
    feature(
        "Major axis",
        "float",
        "",
        "The longer axis of the ellipse of the same second moments, in micrometers.",
        "major_axis_um",
    ),
    feature(
        "Minor axis",
        "float",
        "",
        "The shorter axis of that ellipse, in micrometers.",
        "minor_axis_um",
    ),
    feature(
        "Eccentricity",
        "float",
        "",
        "The eccentricity of that ellipse.",
        "eccentricity",
    ),
    feature(
        "Circularity",
        "float",
        "",
        "4 pi area / perimeter^2.",
        "circularity",
    ),
    feature(
        "Solidity",
        "float",
        "",
        "The part of its convex hull that it fills.",
        "solidity",
    ),
    feature(
        "Mean probability",
        "float",
        "",
        "The mean of the network's probabilities over its pixels.",
        "mean_probability",
    ),
    feature(
        "ftuseg ID",
        "integer",
        "",
        "The object's number on the slide in ftuseg's outputs.",
        "id",
    ),
    feature(
        "ftuseg UUID",
        "text",
        "",
        "The object's name in ftuseg's outputs.",
        "uuid",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_the_templates_and_more() {
        let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
        assert_eq!(
            names[..9],
            [
                "Source file",
                "Mask name",
                "Mask ID",
                "Protocol for mask creation (DOI)",
                "Annotation tool",
                "Object type",
                "X",
                "Y",
                "Z"
            ]
        );
        // What the template's notes permit.
        for column in COLUMNS {
            let kinds = ["text", "integer", "float", "doi", "boolean", "obo id"];
            assert!(kinds.contains(&column.kind), "{}", column.name);
            let units = ["", "pixel", "intensity", "count", "square micrometer"];
            assert!(units.contains(&column.unit), "{}", column.name);
            let classes = ["neighborhood", "mask", "spatial", "morphology", "ontology"];
            assert!(classes.contains(&column.class), "{}", column.name);
            assert!(["REQUIRED", "OPTIONAL"].contains(&column.needed));
        }
    }
}
