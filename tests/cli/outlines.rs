//! Outlines, exact ones and simplified ones, as GEOS (shapely) and JTS see them: valid, as many rings, within the tolerance.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::util::*;
use ftuseg::mask::{Mask, Polygon, Ring, polygons};

/// Masks of everything that is hard on outlines: px that touch at corners only, holes in holes, holes that touch the
/// outside, combs, and blobs with wavy edges.
fn drawn() -> Vec<Mask> {
    let mask = |side: u32, is_set: &dyn Fn(u32, u32) -> bool| {
        let mut mask = Mask::new(side, side).unwrap();
        for (x, y) in (0..side).flat_map(|y| (0..side).map(move |x| (x, y))) {
            if is_set(x, y) {
                mask.set(x, y, true);
            }
        }
        mask
    };
    // Numbers that look random and are always the same.
    let noise = |x: u32, y: u32, seed: u32| {
        let mut value = (x * 0x9e37 + y * 0x85eb + seed * 0xc2b3).wrapping_mul(0x27d4_eb2d);
        value ^= value >> 15;
        value = value.wrapping_mul(0x1656_67b1);
        (value >> 16) % 100
    };
    let mut all: Vec<Mask> = [35, 50, 60, 65, 75, 90]
        .map(|percent| mask(160, &|x, y| noise(x, y, percent) < percent))
        .into();
    all.push(mask(64, &|x, y| (x + y) % 2 == 0));
    all.push(mask(64, &|x, y| x % 4 < 2 || y == 30));
    // Rings within rings; those of px alone are joined by a bridge, so that holes lie beside each other.
    let ring = |x: u32, y: u32| x.abs_diff(100).max(y.abs_diff(100));
    all.push(mask(200, &|x, y| ring(x, y) % 6 < 3));
    all.push(mask(200, &|x, y| ring(x, y) % 6 < 3 || y == 100));
    for (cell, depth) in [(50, 0.1), (100, 0.25)] {
        all.push(mask(400, &|x, y| {
            let half = f64::from(cell) / 2.0;
            let (dx, dy) = (f64::from(x % cell) - half, f64::from(y % cell) - half);
            let wave = (dy.atan2(dx) * 13.0 + f64::from(x / cell)).sin();
            let far = dx.hypot(dy) / f64::from(cell);
            far < 0.38 * (1.0 + depth * wave) && (far > 0.12 || (x / cell) % 2 == 0)
        }));
    }
    all
}

fn wkt(rings: &[Ring]) -> String {
    let mut text = String::from("POLYGON (");
    for (place, ring) in rings.iter().enumerate() {
        let corners: Vec<String> = ring.iter().map(|[x, y]| format!("{x} {y}")).collect();
        let comma = if place > 0 { ", " } else { "" };
        write!(text, "{comma}({})", corners.join(", ")).unwrap();
    }
    text + ")"
}

/// A line an object: its area, its outline, and that with fewer corners and the tolerance in px, which is another one from
/// object to object.
fn lines(masks: &[Mask]) -> (String, usize) {
    let (mut text, mut count) = (String::new(), 0);
    for Polygon {
        exterior,
        holes,
        area,
    } in masks.iter().flat_map(polygons)
    {
        let tolerance = [0.8, 1.5, 4.0, 16.0, 200.0][count % 5];
        let exact = Polygon {
            exterior: exterior.clone(),
            holes: holes.clone(),
            area,
        };
        let fewer = wkt(&exact.simplified(tolerance));
        let rings: Vec<Ring> = std::iter::once(exterior).chain(holes).collect();
        writeln!(text, "{area}\t{}\t{tolerance}\t{fewer}", wkt(&rings)).unwrap();
        count += 1;
    }
    (text, count)
}

/// What a program said of a file with that many objects: nothing but their number.
fn assert_agrees(said: &Output, count: usize) {
    let errors = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{errors}");
    let first = String::from_utf8_lossy(&said.stdout);
    assert_eq!(first.lines().next(), Some(count.to_string().as_str()));
    println!("{first}");
}

#[test]
fn outlines_are_valid_to_shapely_and_jts() {
    let python = std::env::var_os("FTUSEG_INTEROP_PYTHON");
    let jts = std::env::var_os("FTUSEG_JTS");
    if python.is_none() {
        println!("skipped: shapely, since FTUSEG_INTEROP_PYTHON names no Python that has it");
    }
    if jts.is_none() {
        println!("skipped: JTS, since FTUSEG_JTS does not name its jar");
    }
    if python.is_none() && jts.is_none() {
        return;
    }
    let dir = Dir::new();
    let (text, count) = lines(&drawn());
    assert!(count > 2000, "{count}");
    fs::write(dir.join("outlines.tsv"), text).unwrap();
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/interop");
    if let Some(python) = python {
        let mut command = Command::new(python);
        command.arg(scripts.join("read_outlines.py"));
        assert_agrees(
            &command.arg(dir.join("outlines.tsv")).output().unwrap(),
            count,
        );
    }
    if let Some(jar) = jts {
        let mut command = Command::new("java");
        command
            .arg("-cp")
            .arg(jar)
            .arg(scripts.join("ReadOutlines.java"));
        assert_agrees(
            &command.arg(dir.join("outlines.tsv")).output().unwrap(),
            count,
        );
    }
}
