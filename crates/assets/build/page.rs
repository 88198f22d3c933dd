//! Builds the page (`web/`) with npm and lists its files for embedding.
//!
//! The result goes to `web/dist` and is stamped with a hash of the sources it was made from, so
//! that an unchanged page is never built twice and a machine without node can use a page that
//! was built elsewhere.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};

/// What the page is made of, relative to `web/`.
const SOURCES: [&str; 7] = [
    "src",
    "index.html",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "svelte.config.js",
    "tsconfig.json",
];
/// Remembers in `web/dist` which sources it was built from.
const STAMP: &str = ".sources";
/// Remembers in `web/node_modules` which lock file it was installed from.
const LOCK_STAMP: &str = ".portcullis-lock";

/// Builds the page when needed and writes `page.rs` into `OUT_DIR`.
pub(crate) fn build() {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let web = manifest.join("../../web");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", web.join(source).display());
    }
    println!("cargo::rerun-if-changed=build/page.rs");
    println!("cargo::rerun-if-env-changed=PORTCULLIS_SKIP_PAGE");

    let files = match dist(&web) {
        Ok(dist) => embed(&dist, &out_dir.join("page")),
        Err(why) => Err(why),
    };
    let code = match files {
        Ok(list) => list,
        Err(why) => {
            println!("cargo::warning=the page is not embedded: {why}");
            "None".to_owned()
        }
    };
    if let Err(error) = fs::write(out_dir.join("page.rs"), code) {
        println!("cargo::error=cannot write page.rs: {error}");
    }
}

/// Gives a `web/dist` that fits the sources, building it when it does not.
fn dist(web: &Path) -> Result<PathBuf, String> {
    let dist = web.join("dist");
    if env::var_os("PORTCULLIS_SKIP_PAGE").is_some() {
        return Err("PORTCULLIS_SKIP_PAGE is set".to_owned());
    }
    let mut hash = Fnv::new();
    for source in SOURCES {
        hash_tree(&mut hash, web, Path::new(source))
            .map_err(|error| format!("web/{source}: {error}"))?;
    }
    let wanted = format!("{:016x}", hash.0);
    if fs::read_to_string(dist.join(STAMP)).is_ok_and(|made_from| made_from == wanted) {
        return Ok(dist);
    }
    if !works("node", web) || !works("npm", web) {
        return Err("node and npm (20.19 or later) are needed to build web/".to_owned());
    }
    install(web)?;
    npm(web, &["run", "--silent", "build"])?;
    fs::write(dist.join(STAMP), &wanted).map_err(|error| format!("web/dist: {error}"))?;
    Ok(dist)
}

/// Runs `npm ci` unless the installed packages come from this very lock file.
fn install(web: &Path) -> Result<(), String> {
    let mut hash = Fnv::new();
    hash_tree(&mut hash, web, Path::new("package-lock.json")).map_err(|e| e.to_string())?;
    let wanted = format!("{:016x}", hash.0);
    let stamp = web.join("node_modules").join(LOCK_STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    npm(web, &["ci", "--silent"])?;
    fs::write(&stamp, wanted).map_err(|error| format!("web/node_modules: {error}"))
}

fn npm(web: &Path, args: &[&str]) -> Result<(), String> {
    let output = Command::new("npm")
        .args(args)
        .current_dir(web)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("npm {}: {error}", args.join(" ")))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("no message");
    Err(format!("npm {} failed: {line}", args.join(" ")))
}

fn works(program: &str, directory: &Path) -> bool {
    Command::new(program)
        .arg("--version")
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Copies `dist` to `target` (so that a later build of the page cannot change it under the
/// compiler) and writes the list of its files as a Rust expression.
fn embed(dist: &Path, target: &Path) -> Result<String, String> {
    let mut files = Vec::new();
    walk(dist, Path::new(""), &mut files).map_err(|error| format!("web/dist: {error}"))?;
    files.sort();
    let mut list = String::from("Some(&[\n");
    for file in files {
        let Some(name) = file.to_str() else { continue };
        if name.starts_with('.') {
            continue;
        }
        let copy = target.join(&file);
        let parent = copy.parent().unwrap_or(target);
        fs::create_dir_all(parent)
            .and_then(|()| fs::copy(dist.join(&file), &copy))
            .map_err(|error| format!("{name}: {error}"))?;
        let _ = writeln!(
            list,
            "PageFile {{ path: {name:?}, content_type: {:?}, bytes: include_bytes!({copy:?}) }},",
            content_type(name)
        );
    }
    list.push_str("])");
    Ok(list)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

fn walk(root: &Path, below: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            walk(root, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn hash_tree(hash: &mut Fnv, web: &Path, source: &Path) -> io::Result<()> {
    let path = web.join(source);
    if !path.is_dir() {
        hash.update(source.to_string_lossy().as_bytes());
        hash.update(&fs::read(&path)?);
        return Ok(());
    }
    let mut files = Vec::new();
    walk(web, source, &mut files)?;
    files.sort();
    for file in files {
        hash.update(file.to_string_lossy().as_bytes());
        hash.update(&fs::read(web.join(file))?);
    }
    Ok(())
}

/// FNV-1a, 64 bits: tells changed sources from unchanged ones, nothing more.
struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
