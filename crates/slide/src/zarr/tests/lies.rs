//! Stores with lies in them are refused, and what is doubtful is said.

use super::*;

/// Checks that a store with a lie in it is refused with a kind of error and some words.
fn refused(kind: &str, words: &str, file: &str, change: impl FnOnce(&mut Value)) {
    let drawn = Drawn::new();
    drawn.change(file, change);
    let error = match drawn.read() {
        Ok(_) => panic!("it was read: {words}"),
        Err(error) => error,
    };
    let text = error.to_string();
    assert!(
        error.kind() == kind && text.contains(words),
        "{}: {text}",
        error.kind()
    );
    assert!(text.contains(&drawn.path().display().to_string()), "{text}");
}

#[test]
fn metadata_that_lies_is_refused() {
    const ROOT: &str = "zarr.json";
    const ARRAY: &str = "s0/zarr.json";
    let set = |pointer: &'static str, value: Value| {
        move |told: &mut Value| *told.pointer_mut(pointer).unwrap() = value
    };
    let grid = "/chunk_grid/configuration/chunk_shape";
    let path = "/attributes/ome/multiscales/0/datasets/1/path";
    for (kind, words, file, pointer, value) in [
        (
            "limits",
            "a side may have at most",
            ARRAY,
            "/shape",
            json!([3, 40, 2_000_000]),
        ),
        (
            "limits",
            "smaller chunks",
            ARRAY,
            grid,
            json!([3, 1 << 20, 1 << 20]),
        ),
        (
            "limits",
            "smaller chunks",
            ARRAY,
            grid,
            json!([3, u64::MAX, u64::MAX]),
        ),
        (
            "limits",
            "larger chunks",
            ARRAY,
            "/shape",
            json!([3, 1_000_000, 1_000_000]),
        ),
        (
            "limits",
            "larger chunks",
            ARRAY,
            "/shape",
            json!([u64::MAX, u64::MAX, u64::MAX]),
        ),
        ("format", "make no sense", ARRAY, grid, json!([3, 0, 32])),
        ("format", "make no sense", ARRAY, grid, json!([3, 32])),
        (
            "format",
            "make no sense",
            ARRAY,
            "/shape",
            json!([3, 0, 75]),
        ),
        (
            "format",
            "no list of sizes",
            ARRAY,
            "/shape",
            json!([3, -1, 75]),
        ),
        (
            "format",
            "no list of sizes",
            ARRAY,
            "/shape",
            json!("large"),
        ),
        ("format", "make no sense", ARRAY, "/shape", json!([3])),
        (
            "unsupported",
            "uint16",
            ARRAY,
            "/data_type",
            json!("uint16"),
        ),
        (
            "unsupported",
            "float32",
            ARRAY,
            "/data_type",
            json!("float32"),
        ),
        (
            "unsupported",
            "4 channels",
            ARRAY,
            "/shape",
            json!([4, 53, 75]),
        ),
        (
            "unsupported",
            "bitround",
            ARRAY,
            "/codecs",
            json!([{ "name": "bitround" }, { "name": "bytes" }]),
        ),
        (
            "unsupported",
            "compressed more than once",
            ARRAY,
            "/codecs",
            json!(["bytes", "gzip", "zstd"]),
        ),
        ("format", "make no bytes", ARRAY, "/codecs", json!([])),
        (
            "format",
            "transposed",
            ARRAY,
            "/codecs",
            json!([{ "name": "transpose", "configuration": { "order": [0, 1, 1] } }, "bytes"]),
        ),
        (
            "format",
            "broken compression",
            ARRAY,
            "/codecs",
            json!(["bytes", "zstd"]),
        ),
        (
            "unsupported",
            "Blosc stream of version",
            ARRAY,
            "/codecs",
            json!(["bytes", "blosc"]),
        ),
        ("format", "fill value", ARRAY, "/fill_value", json!(256)),
        (
            "unsupported",
            "named in a way",
            ARRAY,
            "/chunk_key_encoding",
            json!({ "name": "suffix" }),
        ),
        (
            "unsupported",
            "not all of one size",
            ARRAY,
            "/chunk_grid/name",
            json!("rectilinear"),
        ),
        ("format", "no array", ARRAY, "/node_type", json!("group")),
        (
            "format",
            "levels must become smaller",
            "s1/zarr.json",
            "/shape",
            json!([3, 53, 76]),
        ),
        ("format", "no path within it", ROOT, path, json!("../s1")),
        ("format", "no path within it", ROOT, path, json!("/etc")),
        ("format", "no path within it", ROOT, path, json!("s1\\..")),
        ("format", "is missing", ROOT, path, json!("s7")),
        (
            "unsupported",
            "OME-Zarr 0.2",
            ROOT,
            "/attributes/ome/version",
            json!("0.2"),
        ),
        (
            "unsupported",
            "without channels",
            ROOT,
            "/attributes/ome/multiscales/0/axes/0",
            json!({ "name": "z", "type": "space" }),
        ),
        (
            "unsupported",
            "axes",
            ROOT,
            "/attributes/ome/multiscales/0/axes",
            json!(["c", "y", "x"]),
        ),
        (
            "unsupported",
            "fluorescence",
            ROOT,
            "/attributes/ome/omero/channels/1/label",
            json!("DAPI"),
        ),
        (
            "unsupported",
            "not square",
            ROOT,
            SCALE,
            json!([1, 0.25, 0.5]),
        ),
        (
            "format",
            "names no array",
            ROOT,
            "/attributes/ome/multiscales/0/datasets",
            json!([]),
        ),
        (
            "format",
            "no list of images",
            ROOT,
            "/attributes/ome/multiscales",
            json!({}),
        ),
        (
            "unsupported",
            "plate",
            ROOT,
            "/attributes/ome",
            json!({ "plate": {} }),
        ),
        (
            "unsupported",
            "labels, not a slide",
            ROOT,
            "/attributes/ome",
            json!({ "labels": ["x"] }),
        ),
        (
            "unsupported",
            "no OME-Zarr image",
            ROOT,
            "/attributes",
            json!({}),
        ),
        (
            "unsupported",
            "SpatialData",
            ROOT,
            "/attributes",
            json!({ "spatialdata_attrs": {} }),
        ),
        (
            "format",
            "names no image",
            ROOT,
            "/attributes/ome",
            json!({ "bioformats2raw.layout": 3 }),
        ),
    ] {
        refused(kind, words, file, set(pointer, value));
    }
    refused("limits", "33 levels", ROOT, |told| {
        let datasets = told
            .pointer_mut("/attributes/ome/multiscales/0/datasets")
            .unwrap();
        *datasets = vec![datasets[0].clone(); 33].into();
    });
    refused("unsupported", "programs that know", ARRAY, |told| {
        told["a_new_thing"] = json!({ "must_understand": true });
    });
    refused("unsupported", "transformed", ARRAY, |told| {
        told["storage_transformers"] = json!([{}])
    });
    for (words, config) in [
        ("whole chunks", json!({ "chunk_shape": [3, 5, 32] })),
        ("whole chunks", json!({ "chunk_shape": [3, 0, 32] })),
        ("list of codecs", json!({ "chunk_shape": [3, 32, 32] })),
    ] {
        refused("format", words, ARRAY, |told| {
            told["codecs"] = json!([{ "name": "sharding_indexed", "configuration": config }]);
        });
    }
    refused("limits", "in one file", ARRAY, |told| {
        told["chunk_grid"]["configuration"]["chunk_shape"] = json!([3, 1 << 20, 1 << 20]);
        told["codecs"] = json!([{ "name": "sharding_indexed", "configuration": {
            "chunk_shape": [3, 32, 32], "codecs": ["bytes"], "index_codecs": ["bytes"],
        } }]);
    });
    refused("unsupported", "no OME-Zarr image", ROOT, |told| {
        told["attributes"] = json!(null)
    });
}

#[test]
fn what_is_doubtful_is_said() {
    let warned = |change: &dyn Fn(&mut Value)| {
        let drawn = Drawn::new();
        drawn.change("zarr.json", change);
        let slide = drawn.open().unwrap();
        let text = slide.warnings.iter().map(|warning| warning.text.clone());
        (
            slide.info.resolution.map(|r| r.mpp),
            text.collect::<Vec<_>>().join("; "),
        )
    };
    // NaN is no JSON; what stands for it is no number.
    for (scale, words) in [
        (json!([1, 1e300, 1e300]), "no microscope"),
        (json!([1, -0.5, -0.5]), "not the size of a px"),
        (json!([1, 0, 0]), "not the size of a px"),
    ] {
        let (mpp, text) = warned(&|told| *told.pointer_mut(SCALE).unwrap() = scale.clone());
        assert!(mpp.is_none() && text.contains(words), "{text}");
    }
    for scale in [json!(["NaN", "NaN", "NaN"]), json!([1, 0.5]), json!(null)] {
        let (mpp, _) = warned(&|told| *told.pointer_mut(SCALE).unwrap() = scale.clone());
        assert_eq!(mpp, None);
    }
    let axes = "/attributes/ome/multiscales/0/axes";
    let (mpp, text) = warned(&|told| {
        for axis in [1, 2] {
            told.pointer_mut(axes).unwrap()[axis]["unit"] = "second".into();
        }
    });
    assert!(mpp.is_none() && text.contains("not a length"), "{text}");
    let (mpp, text) = warned(&|told| {
        for axis in [1, 2] {
            told.pointer_mut(axes).unwrap()[axis]
                .as_object_mut()
                .unwrap()
                .remove("unit");
        }
    });
    assert!(mpp.is_none() && text.contains("no unit"), "{text}");
    let (mpp, text) = warned(&|told| {
        *told
            .pointer_mut(&SCALE.replace("datasets/0", "datasets/1"))
            .unwrap() = json!([1, 1.0, 1.0]);
    });
    assert!(
        mpp == Some(0.25) && text.contains("the level s1 says"),
        "{text}"
    );
    let (_, text) = warned(&|told| {
        told["attributes"]["ome"]
            .as_object_mut()
            .unwrap()
            .remove("omero");
    });
    assert!(
        text.contains("does not say what its three channels are"),
        "{text}"
    );
    let (_, text) = warned(&|told| {
        let all = told.pointer_mut("/attributes/ome/multiscales").unwrap();
        *all = json!([all[0].clone(), all[0].clone()]);
    });
    assert!(text.contains("holds 2 images"), "{text}");
    // A level that is another picture is left out.
    let drawn = Drawn::new();
    drawn.change("s1/zarr.json", |array| array["shape"] = json!([3, 30, 20]));
    let slide = drawn.open().unwrap();
    assert_eq!(slide.info.levels.len(), 1);
    assert!(
        slide.warnings[0].text.contains("s1 of 20 x 30 px"),
        "{:?}",
        slide.warnings
    );
}

#[test]
fn files_that_lie_are_refused() {
    let error = |make: &dyn Fn(&Drawn)| {
        let drawn = Drawn::new();
        make(&drawn);
        drawn.read().err().unwrap().to_string()
    };
    let text = error(&|drawn| drawn.write("s0/c/0/0/0", &[0; 3071]));
    assert!(text.contains("3071 bytes instead of 3072"), "{text}");
    let text = error(&|drawn| drawn.write("s0/c/0/0/0", &vec![0; 1 << 20]));
    assert!(text.contains("larger than"), "{text}");
    for broken in [&b""[..], b"{", b"[[[[", b"\xff\xfe", &[b'['; 100_000]] {
        let text = error(&|drawn| drawn.write("zarr.json", broken));
        assert!(text.contains("no JSON"), "{text}");
    }
    let text = error(&|drawn| std::fs::remove_file(drawn.path().join("zarr.json")).unwrap());
    assert!(text.contains("without Zarr's metadata"), "{text}");
    let text = error(&|drawn| std::fs::remove_file(drawn.path().join("s1/zarr.json")).unwrap());
    assert!(
        text.contains("the array s1") && text.contains("missing"),
        "{text}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("0"), chunk(0, 0, 1)).unwrap();
        std::fs::write(outside.path().join("zarr.json"), "{}").unwrap();
        let link = |to: &Path, drawn: &Drawn, name: &str| {
            let at = drawn.path().join(name);
            let _ = std::fs::remove_dir_all(&at);
            let _ = std::fs::remove_file(&at);
            symlink(to, at).unwrap();
        };
        let text = error(&|drawn| link(&outside.path().join("0"), drawn, "s0/c/0/0/0"));
        assert!(text.contains("a link out of its folder"), "{text}");
        let text = error(&|drawn| link(outside.path(), drawn, "s0/c/0/0"));
        assert!(text.contains("a link out of its folder"), "{text}");
        let text = error(&|drawn| link(outside.path(), drawn, "s0"));
        assert!(text.contains("a link out of its folder"), "{text}");
        let text = error(&|drawn| link(Path::new("/dev/zero"), drawn, "s0/c/0/0/0"));
        assert!(text.contains("a link out of its folder"), "{text}");
        // A link within the folder leads nowhere else; a link to the folder is the folder.
        let drawn = Drawn::new();
        std::fs::rename(drawn.path().join("s0"), drawn.path().join("full")).unwrap();
        symlink("full", drawn.path().join("s0")).unwrap();
        assert!(drawn.read().unwrap() == both());
        let linked = outside.path().join("x.zarr");
        symlink(drawn.path(), &linked).unwrap();
        assert!(ZarrReader::open(&linked).is_ok());
        // A pipe is not waited for.
        let pipe = drawn.path().join("full/c/0/0/0");
        std::fs::remove_file(&pipe).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            assert!(drawn.read().is_err());
        }
    }
}
