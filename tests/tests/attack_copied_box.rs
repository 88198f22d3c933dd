//! The whole flash of a box is copied to another box: nothing in it works there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use portcullis_tests::{Packets, World, h264_aac, has_ffmpeg};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

// spec-test: D-X7 D-X12
// attack-test: T-02 T-38
#[test]
fn flash_of_an_entitled_box_is_useless_in_another() {
    if !has_ffmpeg("flash_of_an_entitled_box_is_useless_in_another") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), h264_aac());
    let _ = world.run(&["box", "add", "thief"]).ok();
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let _ = world.terminal("attic", stream.service, &scrambled, &played).ok();

    let boxes = world.data().join("boxes");
    std::fs::remove_dir_all(boxes.join("thief/flash")).unwrap();
    copy(&boxes.join("attic/flash"), &boxes.join("thief/flash"));
    let stolen = world.file("stolen.ts");
    let finished = world.terminal("thief", stream.service, &scrambled, &stolen);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(!finished.stderr.contains("panicked"), "{finished:?}");
    if stolen.is_file() {
        let streams = Packets::read(&stream.path).programme(stream.service).streams;
        let (count, all) = Packets::read(&stolen).scrambled(&streams);
        assert_eq!(count, all, "the copy played");
    }
}
