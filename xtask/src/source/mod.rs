//! The source files of the project, and the rules that a compiler does not check.

mod lexer;
mod rules;

use std::path::{Path, PathBuf};

use crate::Done;
use crate::shell::{read, root};

pub(crate) use lexer::{code_only, without_tests};
pub(crate) use rules::check;

/// A text file of the project.
pub(crate) struct SourceFile {
    /// Path from the workspace's folder, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// True where everything in the file is test code.
    pub(crate) fn is_test(&self) -> bool {
        let in_folder = |name: &str| self.path.split('/').any(|part| part == name);
        in_folder("tests")
            || in_folder("benches")
            || in_folder("examples")
            || in_folder("e2e")
            || in_folder("fuzz")
            || self.path.ends_with("/tests.rs")
            || self.path.ends_with("_tests.rs")
    }
}

const NOT_OURS: &[&str] = &["target", "node_modules", "dist", "portcullis-data"];
const FILE_BYTES_MAX: u64 = 2 << 20;

/// Files of the workspace whose names end with one of `endings`, in order of their paths.
pub(crate) fn files(endings: &[&str]) -> Done<Vec<SourceFile>> {
    let root = root();
    let mut paths = Vec::new();
    walk(&root, &mut paths)?;
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let wanted = endings.iter().any(|ending| name.ends_with(ending));
        let size = path.metadata().map_or(0, |meta| meta.len());
        if wanted && size <= FILE_BYTES_MAX {
            files.push(SourceFile { text: read(&path)?, path: name });
        }
    }
    Ok(files)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Done {
    let fault = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let kind = entry.file_type().map_err(fault)?;
        if kind.is_dir() {
            let hidden = name.starts_with('.') && name != ".ci" && name != ".config";
            if !hidden && !NOT_OURS.contains(&name.as_ref()) {
                walk(&entry.path(), found)?;
            }
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    Ok(())
}

/// A number that changes when any source file that is built or tested changes.
pub(crate) fn digest() -> Done<String> {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut eat = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for file in files(&[".rs", ".ts", ".mjs", ".svelte", "Cargo.toml", "Cargo.lock"])? {
        eat(file.path.as_bytes());
        eat(&[0]);
        eat(file.text.as_bytes());
        eat(&[0]);
    }
    Ok(format!("{hash:016x}"))
}
