//! Figures against scikit-image's, and against what they must be whatever the shape.
//!
//! `figures/make_expected.py` draws the masks and measures their objects.

use proptest::prelude::*;

use super::super::{Figures, Mask, Object, Objects, Rect, Run, each_object_counted, outline, rle};
use super::{Dense, dense};

/// The rows of a table, each a list of fields.
fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table.lines().skip(1).map(|line| line.split(',').collect())
}

/// Compares figures with a row of the expected ones.
fn assert_expected(found: &Figures, row: &[&str]) {
    let number = |place: usize| -> f64 { row[place].parse().unwrap() };
    let whole = |place: usize| -> u64 { row[place].parse().unwrap() };
    assert_eq!(found.area, whole(1), "{row:?}");
    let Rect {
        x,
        y,
        width,
        height,
    } = found.bounds;
    assert_eq!(
        [x, y, width, height].map(u64::from),
        [2, 3, 4, 5].map(whole),
        "{row:?}"
    );
    // Sums of whole numbers here and of floats there.
    for (name, found, expected, tolerance) in [
        ("x", found.centroid[0] - 0.5, number(6), 1e-9),
        ("y", found.centroid[1] - 0.5, number(7), 1e-9),
        ("perimeter", found.perimeter, number(8), 1e-8),
        ("diameter", found.equivalent_diameter(), number(9), 1e-9),
        // Of an ellipse as thin as a line, scikit-image's own sums leave some 1e-7.
        ("major", found.major_axis, number(10), 1e-6),
        ("minor", found.minor_axis, number(11), 1e-5),
        ("eccentricity", found.eccentricity, number(13), 1e-6),
        ("solidity", found.solidity(), number(15), 1e-12),
    ] {
        assert!(
            (found - expected).abs() <= tolerance,
            "{name}: {found} {expected} {row:?}"
        );
    }
    // What is as long as it is wide has no direction, and theirs is what rounding made of it.
    if number(13) > 1e-3 {
        let turn = (found.orientation - number(12)).abs();
        let turn = turn.min(std::f64::consts::PI - turn);
        assert!(turn <= 1e-6, "{} {row:?}", found.orientation);
    }
    assert_eq!(found.convex_area, whole(14), "{row:?}");
    assert_eq!(found.holes, whole(16), "{row:?}");
    assert_eq!(found.holes_area, whole(17), "{row:?}");
}

/// Compares the objects of a mask with the rows that name it.
fn assert_all_expected(name: &str, mask: &Mask, expected: &str) -> usize {
    let expected: Vec<_> = rows(expected).filter(|row| row[0] == name).collect();
    let objects = Objects::find(mask);
    assert_eq!(objects.len(), expected.len(), "{name}");
    for (object, row) in objects.iter().zip(&expected) {
        assert_expected(&object.figures(), row);
    }
    expected.len()
}

#[test]
fn drawn_objects_have_scikit_images_figures() {
    let expected = include_str!("figures/expected.csv");
    let (mut masks, mut objects) = (0, 0);
    for row in rows(include_str!("figures/shapes.csv")) {
        let [width, height] = [row[1], row[2]].map(|side| side.parse().unwrap());
        let mask = rle::decode(row[3], width, height).unwrap();
        objects += assert_all_expected(row[0], &mask, expected);
        masks += 1;
    }
    assert_eq!((masks, objects), (22, expected.lines().count() - 1));
}

#[test]
fn real_objects_have_scikit_images_figures() {
    let shared = std::env::var_os("FTUSEG_SHARED").map_or_else(
        || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").into(),
        std::path::PathBuf::from,
    );
    let path = shared.join("data/kaggle_rows/train.csv");
    let Ok(table) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is not here", path.display());
        return;
    };
    let expected = include_str!("figures/expected_real.csv");
    let mut objects = 0;
    for row in rows(&table).filter(|row| row.len() > 7) {
        // id, organ, source, height, width, um/px, thickness, rle
        if rows(expected).any(|line| line[0] == row[0]) {
            let [width, height] = [row[4], row[3]].map(|side| side.parse().unwrap());
            let mask = rle::decode(row[7], width, height).unwrap();
            objects += assert_all_expected(row[0], &mask, expected);
        }
    }
    assert_eq!(objects, expected.lines().count() - 1);
}

/// An object somewhere else.
fn moved(object: &Object<'_>, by: u32) -> Vec<Run> {
    let runs = object.runs().iter();
    runs.map(|run| Run {
        y: run.y + by,
        start: run.start + by,
        end: run.end + by,
    })
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn figures_hold_whatever_the_shape_and_wherever_it_lies(picture in dense()) {
        let mask = picture.mask();
        let turned = Dense::from_fn(picture.height, picture.width, |x, y| picture.at(y, x));
        let mut sizes = Vec::new();
        for object in Objects::find(&mask).iter() {
            let figures = object.figures();
            prop_assert_eq!(figures.area, object.area());
            prop_assert_eq!(figures.bounds, object.bounds());
            prop_assert!(figures.convex_area >= figures.area);
            let bounds = u64::from(figures.bounds.width) * u64::from(figures.bounds.height);
            prop_assert!(figures.convex_area <= bounds);
            prop_assert!(figures.holes_area + figures.area <= bounds);
            prop_assert!(figures.minor_axis <= figures.major_axis);
            prop_assert!((0.0..=1.0).contains(&figures.eccentricity));
            // Holes of the outline are those and what is open at a corner.
            let outline = outline(&object);
            prop_assert!(outline.holes.len() as u64 >= figures.holes);
            prop_assert_eq!(outline.runs(), object.runs());
            let mut px: Vec<_> = object.runs().iter().flat_map(|run| run.columns().map(|x| (x, run.y))).collect();
            px.sort_unstable();
            let columns: Vec<_> = outline.column_runs().flat_map(|(x, rows)| rows.map(move |y| (x, y))).collect();
            prop_assert_eq!(columns, px);
            let far = moved(&object, 1 << 19);
            let far = Object::of(&far).figures();
            for (far, near) in far.centroid.into_iter().zip(figures.centroid) {
                prop_assert!((far - near - f64::from(1 << 19)).abs() < 1e-8);
            }
            prop_assert_eq!((far.perimeter, far.major_axis, far.orientation), (figures.perimeter, figures.major_axis, figures.orientation));
            sizes.push((figures.area, figures.convex_area, figures.holes, figures.holes_area, (figures.perimeter * 1e6) as u64));
        }
        let mut quarter: Vec<_> = Objects::find(&turned.mask()).iter().map(|object| {
            let figures = object.figures();
            (figures.area, figures.convex_area, figures.holes, figures.holes_area, (figures.perimeter * 1e6) as u64)
        }).collect();
        sizes.sort_unstable();
        quarter.sort_unstable();
        prop_assert_eq!(sizes, quarter);
    }

    #[test]
    fn what_is_counted_on_the_way_belongs_to_its_object(picture in dense()) {
        let mask = picture.mask();
        let weight = |run: &Run| run.columns().map(|x| u64::from(x) * 31 + u64::from(run.y)).sum::<u64>();
        let mut found = Vec::new();
        let counted = each_object_counted(
            &mask,
            |runs| Ok::<_, ()>(runs.iter().map(|run| Sum(weight(run))).collect()),
            |runs, Sum(sum)| {
                found.push((runs, sum));
                Ok(())
            },
        );
        prop_assert_eq!(counted, Ok(()));
        found.sort_by_key(|(runs, _)| (runs[0].y, runs[0].start));
        let objects = Objects::find(&mask);
        prop_assert_eq!(found.len(), objects.len());
        for ((runs, sum), object) in found.iter().zip(objects.iter()) {
            prop_assert_eq!(runs, object.runs());
            prop_assert_eq!(*sum, runs.iter().map(weight).sum::<u64>());
        }
    }
}

#[derive(Default)]
struct Sum(u64);

impl super::super::Tally for Sum {
    fn add(&mut self, other: Self) {
        self.0 += other.0;
    }
}

#[test]
fn the_largest_object_has_exact_figures() {
    // A frame around the largest mask: its sums need more than 64 bits.
    let side = super::super::MAX_SIDE;
    let mut runs = Vec::new();
    for y in 0..side {
        match y == 0 || y + 1 == side {
            true => runs.push((y, 0, side)),
            false => runs.extend([(y, 0, 1), (y, side - 1, side)]),
        }
    }
    let runs: Vec<Run> = runs
        .into_iter()
        .map(|(y, start, end)| Run { y, start, end })
        .collect();
    let figures = Object::of(&runs).figures();
    let all = u64::from(side);
    assert_eq!(figures.area, 4 * all - 4);
    assert_eq!(figures.convex_area, all * all);
    assert_eq!(
        (figures.holes, figures.holes_area),
        (1, (all - 2) * (all - 2))
    );
    assert_eq!(figures.centroid, [all as f64 / 2.0; 2]);
    assert_eq!(
        (figures.eccentricity, figures.major_axis),
        (0.0, figures.minor_axis)
    );
    assert_eq!(figures.perimeter, (4 * all - 4) as f64);
}

#[test]
fn an_error_ends_the_count() {
    let mask = Dense::parse(&["#.#", "#.#"]).mask();
    let mut put = 0;
    let counted = each_object_counted(&mask, |_| Err::<Vec<()>, _>("no"), |_, ()| Ok(()));
    assert_eq!(counted, Err("no"));
    let counted = each_object_counted(
        &mask,
        |runs| Ok(vec![(); runs.len()]),
        |_, ()| {
            put += 1;
            Err("full")
        },
    );
    assert_eq!((counted, put), (Err("full"), 1));
}
