//! Control words of a box that plays are looked for everywhere outside its chip: in the memory of
//! launcher and platform (which share the packets with the chip), in what they print with
//! everything logged, and in every file.
//!
//! The words are known because SimulCrypt carries them in clear on the loopback between a headend
//! and an outside ECMG, where this test listens.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use portcullis_tests::{Service, World, h264_aac, has_ffmpeg, run_within, skip};

const NAME: &str = "control_words_stay_in_the_chip";
const READY: Duration = Duration::from_secs(20);
/// CP_CW_combination of ETSI TS 103 197: two octets of crypto-period number, then the word.
const CP_CW_COMBINATION: [u8; 4] = [0x00, 0x14, 0, 18];
const PAGES: usize = 1 << 20;

/// Passes a connection on to the ECMG and writes down what the SCS sends.
fn tap(ecmg: String) -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&heard);
    spawn(move || {
        while let Ok((scs, _)) = listener.accept() {
            let Ok(onward) = TcpStream::connect(&ecmg) else { return };
            let (scs_too, onward_too) = (scs.try_clone().unwrap(), onward.try_clone().unwrap());
            let record = Arc::clone(&record);
            spawn(move || pass(scs, onward, |octets| record.lock().unwrap().extend(octets)));
            spawn(move || pass(onward_too, scs_too, |_| {}));
        }
    });
    (address, heard)
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut heard: impl FnMut(&[u8])) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        heard(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

fn control_words(wire: &[u8]) -> Vec<[u8; 16]> {
    let mut words: Vec<[u8; 16]> = wire
        .windows(22)
        .filter(|window| window.starts_with(&CP_CW_COMBINATION))
        .map(|window| window[6..].try_into().unwrap())
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Which of the words are in `octets`, as octets or as hexadecimal digits.
fn found(octets: &[u8], words: &[[u8; 16]]) -> usize {
    let hex = |word: &[u8; 16]| word.iter().map(|o| format!("{o:02x}")).collect::<String>();
    let digits: Vec<String> = words.iter().map(hex).collect();
    let starts: Vec<u8> = words.iter().map(|word| word[0]).collect();
    let in_clear = |at: usize| {
        starts.contains(&octets[at]) && words.iter().any(|word| octets[at..].starts_with(word))
    };
    let in_digits = |at: usize| {
        octets[at].is_ascii_hexdigit()
            && octets.get(at..at + 32).is_some_and(|part| {
                digits.iter().any(|word| part.eq_ignore_ascii_case(word.as_bytes()))
            })
    };
    (0..octets.len()).filter(|at| in_clear(*at) || in_digits(*at)).count()
}

/// Looks through all memory of a process; `None` when the system does not let us.
fn search_memory(process: u32, words: &[[u8; 16]]) -> Option<usize> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).ok()?;
    let memory = File::open(format!("/proc/{process}/mem")).ok()?;
    let (mut hits, mut looked_at) = (0, 0);
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|m| m.contains('r')))
    {
        let (from, to) = line.split(' ').next()?.split_once('-')?;
        let (mut at, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
        // A word that crosses two pieces is seen in the overlap.
        let mut piece = vec![0; PAGES + 32];
        while at < to {
            let length = piece.len().min(usize::try_from(to - at).unwrap());
            // Special pages of the system do not read.
            let Ok(length) = memory.read_at(&mut piece[..length], at) else { break };
            if length == 0 {
                break;
            }
            looked_at += length;
            hits += found(&piece[..length], words);
            at += u64::try_from(length.min(PAGES)).unwrap();
        }
    }
    (looked_at > 0).then_some(hits)
}

/// A process and all below it, with their command lines.
fn family(process: u32) -> Vec<(u32, String)> {
    let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line).replace('\0', " ");
    let mut all = vec![(process, line)];
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten();
    for task in tasks.flatten() {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|child| child.parse().ok());
        all.extend(children.flat_map(family));
    }
    all
}

/// Gives the terminal the stream piece by piece until it plays, and leaves it waiting for more.
fn feed_until_it_plays(input: &mut impl Write, stream: &[u8], log: &Path) -> usize {
    let end = Instant::now() + READY;
    let mut given = 0;
    for piece in stream.chunks(188 * 64).take(stream.len() / (188 * 64) * 3 / 4) {
        input.write_all(piece).expect("the terminal reads on");
        input.flush().unwrap();
        given += piece.len();
    }
    while !std::fs::read_to_string(log).unwrap().contains(r#""event":"descrambler""#) {
        assert!(Instant::now() < end, "the terminal did not begin to play");
        sleep(Duration::from_millis(20));
    }
    sleep(Duration::from_millis(300));
    given
}

// spec-test: D-K1 D-K5 X-08
// attack-test: T-01 T-39
#[test]
fn control_words_stay_in_the_chip() {
    if !has_ffmpeg(NAME) {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), h264_aac());
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));

    let mut ecmg = Service::start(&mut world.command(&["ecmg", "--listen", "127.0.0.1:0"]));
    let ready = ecmg.line_with("ready ", READY);
    let mut ready = ready.split_whitespace().skip(1);
    let (address, heard) = tap(ready.next().unwrap().to_owned());
    let super_cas_id = ready.next().unwrap();
    let criteria = world.run(&["criteria", "--product", "one"]).ok().stdout;
    let mut headend = world.headend_command(&stream, "cissa", &scrambled);
    headend.args(["--ecmg", &format!("{address},{super_cas_id},ac={}", criteria.trim())]);
    let _ = run_within(&mut headend, Duration::from_secs(60)).ok();
    let words = control_words(&heard.lock().unwrap());
    assert!(words.len() >= 5, "{} control words heard", words.len());
    assert!(found(&heard.lock().unwrap(), &words) >= words.len(), "the search itself is blind");

    let mut call = world.terminal_command("attic", stream.service, Path::new("-"), &played);
    call.arg("--events").env("PORTCULLIS_LOG", "trace");
    let (said, log) = (world.file("said"), world.file("log"));
    let mut terminal = call
        .stdin(Stdio::piped())
        .stdout(File::create(&said).unwrap())
        .stderr(File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut input = terminal.stdin.take().unwrap();
    let octets = std::fs::read(&scrambled).unwrap();
    let given = feed_until_it_plays(&mut input, &octets, &log);

    let family = family(terminal.id());
    let is_chip = |line: &str| line.contains("portcullis-chipd");
    let platform = family.iter().find(|(_, line)| line.contains("terminal-platform"));
    let (platform, _) = platform.unwrap_or_else(|| panic!("no platform among {family:?}"));
    assert!(family.iter().any(|(_, line)| is_chip(line)), "{family:?}");
    let mut may_look = true;
    for (process, line) in &family {
        match search_memory(*process, &words) {
            // Whoever may look into the chip finds them there: the search works, words are loaded.
            Some(hits) if is_chip(line) => assert!(hits > 0, "no word is loaded: {line}"),
            Some(hits) => assert_eq!(hits, 0, "control words in the memory of {line}"),
            None => may_look &= process != platform,
        }
    }

    input.write_all(&octets[given..]).unwrap();
    drop(input);
    assert!(terminal.wait().unwrap().success(), "{}", std::fs::read_to_string(&log).unwrap());
    World::assert_same_picture(&stream, &played);
    for path in world.files("").into_iter().chain([said, log, scrambled, played]) {
        let hits = found(&std::fs::read(&path).unwrap(), &words);
        assert_eq!(hits, 0, "control words in {}", path.display());
    }
    if !may_look {
        skip(NAME, "the memory of another process may not be read here: run as root");
    }
}
