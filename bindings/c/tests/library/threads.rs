//! Many threads at once: one engine, one result, and an error for each thread.

use ftuseg_c::*;

use super::support::*;

#[test]
fn each_thread_has_its_own_last_error() {
    let scratch = Scratch::new();
    let engine = scratch.engine(&[]);
    assert_eq!(last_error(), "");
    assert_eq!(last_kind(), "ok");
    let together = std::sync::Barrier::new(4);
    std::thread::scope(|scope| {
        for number in 0..4 {
            let (scratch, engine, together) = (&scratch, &engine, &together);
            scope.spawn(move || {
                assert_eq!(last_error(), "");
                for round in 0..20 {
                    let name = format!("missing-{number}-{round}.tif");
                    assert!(engine.file(&scratch.c_path(&name), &request()).is_err());
                    together.wait();
                    assert!(last_error().contains(&name), "{}", last_error());
                    together.wait();
                }
            });
        }
    });
    assert_eq!(last_error(), "");
}

#[test]
fn threads_share_an_engine_and_a_result() {
    let scratch = Scratch::new();
    let engine = scratch.engine(&[("max-models", "1")]);
    let rgb = pixels();
    let alone = engine.pixels(&given(&rgb), &request()).unwrap();
    let (rle, geojson) = (alone.rle(None), alone.geojson());
    // The same id, for names of objects come from it.
    let wanted = ftuseg_request {
        id: c"pixels".as_ptr(),
        ..request()
    };
    let shared = engine.file(&scratch.c_path("one.tif"), &wanted).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mine = engine.pixels(&given(&rgb), &request()).unwrap();
                assert!(mine.rle(None) == rle && mine.geojson() == geojson);
                // All of them ask first.
                assert_eq!(shared.objects().len(), mine.objects().len());
                assert!(shared.geojson() == geojson);
            });
        }
    });
}

#[test]
fn threads_fill_blocks_of_one_picture() {
    let scratch = Scratch::new();
    let engine = scratch.engine(&[]);
    let rgb = pixels();
    let result = engine.pixels(&given(&rgb), &request()).unwrap();
    let (width, height) = (SIZE.0 as usize, SIZE.1 as usize);
    let mut picture = vec![9_u8; width * height];
    let address = picture.as_mut_ptr() as usize;
    std::thread::scope(|scope| {
        for part in 0..4 {
            let result = &result;
            scope.spawn(move || {
                let rect = ftuseg_rect {
                    x: part * SIZE.0 / 4,
                    y: 0,
                    width: SIZE.0 / 4,
                    height: SIZE.1,
                };
                let before = rect.x as usize;
                let out = (address + before) as *mut u8;
                // SAFETY: each thread has columns of its own, and the last row ends with the buffer.
                let status = unsafe {
                    ftuseg_result_read_labels(
                        result.0,
                        rect,
                        0,
                        out,
                        width * height - before,
                        width,
                    )
                };
                assert_eq!(status, ftuseg_status::Ok);
            });
        }
    });
    let all = ftuseg_rect {
        x: 0,
        y: 0,
        width: SIZE.0,
        height: SIZE.1,
    };
    assert!(picture == result.labels(all, 0));
}
