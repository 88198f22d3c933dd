//! Programs are killed in the middle of what they make, or started twice: the same command works
//! afterwards, nothing half done stays.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use portcullis_tests::{Service, World, free_port, program, run};

fn entries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Starts a command and kills it after a while.
fn kill_after(mut command: Command, pause: Duration) {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = quiet.spawn().unwrap();
    std::thread::sleep(pause);
    let _ = child.kill();
    child.wait().unwrap();
}

// attack-test: F-03
#[test]
fn init_killed_anywhere_leaves_nothing_and_works_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let init = || {
        let mut command = Command::new(program("portcullis"));
        command.arg("init").arg("--data").arg(&data);
        command
    };
    let mut cut_off = 0;
    for step in 0..12 {
        kill_after(init(), Duration::from_millis(8 * step));
        cut_off += u32::from(!data.exists());
        if data.exists() {
            std::fs::remove_dir_all(&data).unwrap();
        }
    }
    assert!(cut_off > 2, "it was hardly ever cut off");
    let _ = run(&mut init()).ok();
    assert_eq!(entries(folder.path()), ["data"], "private keys were left behind");
}

// attack-test: F-03
#[test]
fn box_add_killed_anywhere_works_again() {
    let world = World::new();
    for step in 0..12 {
        let name = format!("box{step}");
        kill_after(world.command(&["box", "add", &name]), Duration::from_millis(8 * step));
        let again = world.run(&["box", "add", &name]);
        // Killed too late to matter: it was all done.
        if again.code != Some(0) {
            assert!(again.refused().contains("exists"));
        }
        let _ = world.run(&["entitle", "--box", &name, "--product", "one"]).ok();
    }
    let boxes = entries(&world.data().join("boxes"));
    assert!(boxes.iter().all(|name| name.starts_with("box")), "{boxes:?}");
}

// attack-test: F-03
#[test]
fn a_box_whose_row_was_never_written_is_finished() {
    let world = World::new();
    let database = world.data().join("operator/portcullis.sqlite");
    let before = std::fs::read(&database).unwrap();
    let made = world.run(&["box", "add", "attic", "--json"]).ok().json();
    for file in world.files("operator") {
        if file.file_name().is_some_and(|name| name.to_string_lossy().contains(".sqlite-")) {
            std::fs::remove_file(file).unwrap();
        }
    }
    // As after a kill between the directory and the row.
    std::fs::write(&database, before).unwrap();

    let other = world.run(&["box", "add", "attic", "--vendor", "vendor-b"]).refused();
    assert!(other.contains("remove the directory"), "{other}");
    let again = world.run(&["box", "add", "attic", "--json"]).ok().json();
    assert_eq!(again, made);
    let _ = world.run(&["entitle", "--box", "attic", "--product", "one"]).ok();
    assert!(world.run(&["box", "add", "attic"]).refused().contains("exists"));
}

// attack-test: F-24
#[test]
fn a_second_up_on_one_data_directory_is_refused_until_the_first_is_dead() {
    let world = World::new();
    let up = || {
        let listen = format!("127.0.0.1:{}", free_port());
        world.command(&["up", "--no-open", "--listen", &listen])
    };
    let mut first = Service::start(&mut up());
    first.line_with("http://", Duration::from_secs(40));
    let why = run(&mut up()).refused();
    assert!(why.contains(&format!("process {}", first.id())), "{why}");
    assert!(first.is_running());

    // Killed, it can tell nobody; the system gives the lock back.
    first.end("KILL", Duration::from_secs(5));
    let mut second = Service::start(&mut up());
    second.line_with("http://", Duration::from_secs(40));
    assert_eq!(second.end("TERM", Duration::from_secs(10)), Some(0));
}
