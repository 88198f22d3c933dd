//! The rules. Each has one reason, told with every violation.

use super::graph::{Graph, Package};

/// Crates that hold no socket, file, thread, clock or system randomness: all of that is handed
/// to them. (Folder names; the packages carry the prefix.)
pub(crate) const PURE: &[&str] = &[
    "types",
    "crypto",
    "keyladder",
    "scramble",
    "isobmff",
    "ts",
    "messages",
    "simulcrypt",
    "package",
    "trust",
    "download",
    "svm",
];

// spec: X-40 X-43
/// Levels from the inside out: a crate links its own level or lower ones.
const LEVELS: &[(&str, &[&str])] = &[
    ("types", &["types"]),
    ("crypto", &["crypto"]),
    (
        "formats and machines",
        &[
            "keyladder",
            "scramble",
            "isobmff",
            "ts",
            "messages",
            "simulcrypt",
            "package",
            "trust",
            "vault",
            "download",
            "svm",
            "svm-compiler",
            "store",
            "assets",
            "testkit",
        ],
    ),
    ("domains", &["chipset", "headend", "sdmp", "authority", "centre", "terminal", "console"]),
    (
        "programs",
        &["bin", "sdmp-bin", "authority-bin", "chipd-bin", "bootloader-bin", "bench", "tests"],
    ),
];

/// Links between two domains that are meant, each with its reason.
const DOMAIN_LINKS: &[(&str, &str, &str)] = &[
    ("terminal", "chipset", "the platform's side of the chip's socket"),
    ("sdmp", "chipset", "SDMP and serialiser write in the chip's own formats"),
    ("console", "headend", "the console shows and changes the operator's store"),
    ("centre", "headend", "the centre reads what the operator has published"),
];

/// Crates that open sockets, or speak for those that do.
const NETWORK: &[&str] = &[
    "tokio",
    "hyper",
    "hyper-util",
    "axum",
    "rustls",
    "tokio-rustls",
    "ureq",
    "reqwest",
    "socket2",
    "mio",
    "quinn",
    "h2",
    "tonic",
    "async-std",
    "smol",
    "isahc",
    "curl",
    "native-tls",
    "openssl",
    "tungstenite",
    "trust-dns-resolver",
    "hickory-resolver",
];

/// Crates of ciphers, hashes, signatures and their raw providers.
const CIPHERS: &[&str] = &[
    "aes",
    "cbc",
    "ctr",
    "cmac",
    "des",
    "sha1",
    "sha2",
    "sha3",
    "hmac",
    "hkdf",
    "aes-gcm",
    "chacha20poly1305",
    "ed25519-dalek",
    "x25519-dalek",
    "curve25519-dalek",
    "p256",
    "p384",
    "rsa",
    "ecdsa",
    "md-5",
    "aws-lc-rs",
    "ring",
    "openssl",
    "libaes",
    "block-modes",
    "cipher",
];

/// Crates that reach for files, threads, clocks or randomness on their own.
const IMPURE: &[&str] = &[
    "getrandom",
    "rand",
    "rusqlite",
    "memmap2",
    "rustix",
    "libc",
    "nix",
    "tempfile",
    "chrono",
    "crossbeam-channel",
    "rayon",
];

/// Never in the terminal: what it does not link it cannot be tricked into doing.
const NOT_IN_TERMINAL: &[&str] = &["headend", "sdmp", "authority", "messages"];

/// A link that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) from: String,
    /// The way from `from` to what it must not link.
    pub(crate) way: Vec<String>,
    pub(crate) rule: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} -> {}: {}", self.from, self.way.join(" -> "), self.rule)
    }
}

/// All violations in the graph.
pub(crate) fn check(graph: &Graph) -> Vec<Violation> {
    let mut found = Vec::new();
    for (id, package) in graph.members() {
        let Some(short) = short(&package.name) else { continue };
        for other in graph.direct(id) {
            if let Some(rule) = direct_rule(short, other) {
                found.push(violation(&package.name, &[&other.name], rule));
            }
        }
        for way in graph.linked(id) {
            let Some(last) = way.last() else { continue };
            if let Some(rule) = linked_rule(short, last) {
                found.push(violation(&package.name, way.get(1..).unwrap_or_default(), rule));
            }
        }
    }
    found
}

fn violation(from: &str, way: &[&str], rule: String) -> Violation {
    let way = way.iter().map(|name| (*name).to_owned()).collect();
    Violation { from: from.to_owned(), way, rule }
}

/// `portcullis-svm` is `svm`; a foreign package has no short name.
fn short(name: &str) -> Option<&str> {
    name.strip_prefix("portcullis-")
}

fn level(short: &str) -> Option<usize> {
    LEVELS.iter().position(|(_, names)| names.contains(&short))
}

/// Rules about what a crate names in its own manifest.
fn direct_rule(from: &str, to: &Package) -> Option<String> {
    if let Some(to) = short(&to.name) {
        return layer_rule(from, to);
    }
    let to = to.name.as_str();
    // The measurements name cipher crates as peers; nothing links the measurements.
    if from != "crypto" && from != "bench" && CIPHERS.contains(&to) {
        return Some("only portcullis-crypto names cipher crates".into());
    }
    if PURE.contains(&from) && (IMPURE.contains(&to) || NETWORK.contains(&to)) {
        return Some(
            "inner crates hold no socket, file, thread, clock or system randomness".into(),
        );
    }
    None
}

fn layer_rule(from: &str, to: &str) -> Option<String> {
    if from == "xtask" || from == "tests" || from == "bench" {
        return None;
    }
    let (Some(low), Some(high)) = (level(to), level(from)) else {
        return Some("a crate without a level: add it to the levels of xtask/src/deps".into());
    };
    if low > high {
        let name = |level: usize| LEVELS.get(level).map_or("?", |(name, _)| *name);
        return Some(format!("{} never link {}", name(high), name(low)));
    }
    let both_domains = low == high && level("terminal") == Some(low);
    let meant = DOMAIN_LINKS.iter().any(|(a, b, _)| (*a, *b) == (from, to));
    (both_domains && !meant).then(|| "a domain does not link another domain".into())
}

/// Rules about everything that ends up in the program.
fn linked_rule(from: &str, to: &str) -> Option<String> {
    let is_off_line =
        matches!(from, "sdmp" | "authority" | "sdmp-bin" | "authority-bin" | "bootloader-bin");
    if is_off_line && NETWORK.contains(&to) {
        return Some("off-line programs never link a network crate".into());
    }
    let to = short(to)?;
    if from == "terminal" && NOT_IN_TERMINAL.contains(&to) {
        return Some("the terminal never links headend, sdmp, authority or messages".into());
    }
    if from == "bin" && matches!(to, "sdmp" | "authority") {
        return Some("nothing on line links the off-line parties' code".into());
    }
    let on_chip = matches!(from, "chipset" | "chipd-bin");
    if on_chip && matches!(to, "messages" | "svm" | "headend" | "sdmp" | "authority") {
        return Some("the chip knows no client, no headend and no key owner".into());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(edges: &[(&str, &[&str])]) -> Vec<String> {
        check(&Graph::of(edges)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_intended_shape_breaks_no_rule() {
        let found = lines(&[
            ("portcullis-crypto", &["aes", "cmac", "portcullis-types"]),
            ("portcullis-svm", &["portcullis-types"]),
            ("portcullis-terminal", &["portcullis-svm", "portcullis-chipset", "tokio"]),
            ("portcullis-headend", &["portcullis-messages", "tokio", "rusqlite"]),
            ("portcullis-bin", &["portcullis-terminal", "portcullis-headend"]),
            ("portcullis-sdmp", &["portcullis-crypto", "portcullis-vault"]),
            ("portcullis-vault", &["age"]),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_terminal_that_reaches_messages_through_another_crate_is_found() {
        let found = lines(&[
            ("portcullis-terminal", &["portcullis-store"]),
            ("portcullis-store", &["portcullis-messages"]),
        ]);
        assert_eq!(
            found,
            ["portcullis-terminal -> portcullis-store -> portcullis-messages: the terminal never \
              links headend, sdmp, authority or messages"]
        );
    }

    #[test]
    fn a_network_crate_below_sdmp_is_found() {
        let found = lines(&[
            ("portcullis-sdmp", &["portcullis-vault"]),
            ("portcullis-vault", &["age"]),
            ("age", &["mio"]),
        ]);
        assert_eq!(
            found,
            ["portcullis-sdmp -> portcullis-vault -> age -> mio: off-line programs never link a \
              network crate"]
        );
    }

    // spec-test: X-40 X-43
    #[test]
    fn each_direct_rule_finds_its_violation() {
        for (from, to, part) in [
            ("portcullis-types", "portcullis-crypto", "types never link crypto"),
            ("portcullis-svm", "portcullis-headend", "formats and machines never link domains"),
            ("portcullis-headend", "portcullis-centre", "a domain does not link"),
            ("portcullis-terminal", "aes", "only portcullis-crypto names cipher crates"),
            ("portcullis-ts", "getrandom", "inner crates hold no socket"),
            ("portcullis-download", "tokio", "inner crates hold no socket"),
            ("portcullis-bin", "portcullis-sdmp", "nothing on line links"),
            ("portcullis-chipset", "portcullis-svm", "the chip knows no client"),
            ("portcullis-new", "portcullis-types", "a crate without a level"),
        ] {
            let found = lines(&[(from, &[to])]);
            assert!(found.iter().any(|line| line.contains(part)), "{from} -> {to}: {found:?}");
        }
    }
}
