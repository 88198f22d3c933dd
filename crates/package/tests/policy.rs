//! Policies: what the schema allows, and attacks on its reader.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

mod world;

use portcullis_package::{PolicyError, parse_policy};
use portcullis_svm::Limits;
use world::policy;

fn refused(xml: &str) -> PolicyError {
    match parse_policy(xml.as_bytes()) {
        Ok(_) => panic!("accepted: {xml}"),
        Err(error) => error,
    }
}

fn changed(from: &str, to: &str) -> PolicyError {
    let good = policy(7, 1);
    assert!(good.contains(from), "{from}");
    refused(&good.replacen(from, to, 1))
}

// spec-test: X-A16 X-Y02
#[test]
fn a_policy_is_read_as_it_stands() {
    let read = parse_policy(policy(7, 1).as_bytes()).unwrap();
    assert_eq!((read.client_id.0, read.super_scp_id.0), (7, 0xA001));
    assert_eq!(read.limits.code_bytes, 4096);
    assert_eq!(read.limits.change_key_budget, 5_000_000);
    assert_eq!((read.text_bytes, read.nv_bytes), (64, 4096));
    assert_eq!(read.events.len(), 2);
    assert_eq!((read.hosts[0].name.as_str(), read.hosts[0].port), ("cas.example.org", 443));
}

#[test]
fn compiling_is_opened_by_the_policy_alone_and_closed_without_a_word() {
    let compile = |attribute: &str| {
        let instructions = format!(r#"<instructions allow="rv32i rv32m"{attribute}/>"#);
        let xml = policy(7, 1).replace(r#"<instructions allow="rv32i rv32m"/>"#, &instructions);
        parse_policy(xml.as_bytes()).map(|policy| policy.limits.compile).ok()
    };
    assert_eq!(compile(""), Some(false));
    assert_eq!(compile(r#" compile="false""#), Some(false));
    assert_eq!(compile(r#" compile="true""#), Some(true));
    assert_eq!(compile(r#" compile="yes""#), None);
    // The host has to open it as well.
    let open = Limits { compile: true, ..Limits::default() };
    assert!(!open.capped_by(&Limits::terminal_maximum()).compile);
    assert!(open.capped_by(&Limits { compile: true, ..Limits::terminal_maximum() }).compile);
    assert!(!Limits::default().capped_by(&open).compile);
}

// spec-test: X-A16
#[test]
fn extensions_are_declared_one_by_one() {
    use portcullis_svm::{Extension, Extensions};
    let read = |to: &str| {
        let xml = policy(7, 1).replacen("rv32i rv32m", to, 1);
        parse_policy(xml.as_bytes()).unwrap().limits.extensions
    };
    assert_eq!(read("rv32i rv32m"), Extensions::NONE);
    for extension in Extension::ALL {
        let declared = read(&format!("rv32i rv32m {}", extension.name()));
        assert_eq!(declared, Extensions::NONE.with(extension));
    }
    assert_eq!(read("zknd rv32m zkne zbb rv32i zba zbkb zknh"), Extensions::ALL);
}

// spec-test: X-A16
#[test]
fn what_is_not_in_the_schema_is_refused_with_its_line() {
    assert_eq!(changed("<instructions", "<extra/><instructions").line, 4);
    assert_eq!(changed("maxUptimeSeconds", "unknownAttribute").line, 2);
    assert_eq!(changed(r#"name="ChangeKey""#, r#"name="Changekey""#).line, 6);
    assert_eq!(changed(r#"id="0x044""#, r#"id="0x999""#).line, 6);
    assert_eq!(changed(r#"id="0x044""#, r#"id="0x045x""#).line, 6);
    assert_eq!(changed(r#"maxPerEvent="4""#, r#"maxPerEvent="0""#).line, 6);
    assert_eq!(changed(r#"version="1""#, r#"version="2""#).line, 1);
    assert_eq!(changed("policy:1", "policy:2").line, 1);
    assert_eq!(changed("2031-01-01T00:00:00Z", "2025-01-01T00:00:00Z").line, 2);
    assert_eq!(changed("2031-01-01T00:00:00Z", "2031-01-01T00:00:00+01:00").line, 2);
    assert_eq!(changed(r#"heap="4096""#, r#"heap="999999""#).line, 3);
    assert_eq!(changed(r#"text="64""#, r#"text="8192""#).line, 3);
    assert_eq!(changed("rv32i rv32m", "rv32i rv32m rv32f").line, 4);
    assert_eq!(changed("rv32i rv32m", "rv32i zbb").line, 4);
    assert_eq!(changed("rv32i rv32m", "rv32i rv32m zbb zbb").line, 4);
    assert_eq!(changed("rv32i rv32m", "rv32i rv32m rv32m").line, 4);
    assert_eq!(changed("rv32i rv32m", "rv32i rv32m ").line, 4);
    assert_eq!(changed(r#"port="443""#, r#"port="0""#).line, 7);
    assert_eq!(changed("cas.example.org", "cas/../x").line, 7);
    assert_eq!(changed(r#"report="true""#, r#"report="maybe""#).line, 8);
    assert_eq!(changed("<onViolation", "text<onViolation").line, 7);
    assert_eq!(changed("<onViolation", "<?go on?><onViolation").line, 8);
    changed(r#"<instructions allow="rv32i rv32m"/>"#, "");
}

// spec-test: X-A16
#[test]
fn an_error_points_at_the_element_or_attribute_it_is_about() {
    let good = policy(7, 1);
    for (from, to, points_at) in [
        ("<instructions", "<extra/><instructions", "<extra/>"),
        ("maxUptimeSeconds", "unknownAttribute", "unknownAttribute"),
        (r#"name="ChangeKey""#, r#"name="Changekey""#, r#"name="Changekey""#),
        (r#"<event name="ChangeKey""#, r#"<event name="ChangeKey" fuel="0""#, r#"fuel="0""#),
        (r#"id="0x044""#, r#"id="0x999""#, r#"id="0x999""#),
        (r#"maxPerEvent="4""#, r#"maxPerEvent="four""#, r#"maxPerEvent="four""#),
        (r#"heap="4096""#, r#"heap="999999""#, r#"heap="999999""#),
        (r#"port="443""#, r#"port="70000""#, r#"port="70000""#),
        (r#"port="443""#, r#"port="443" certificate="00""#, r#"certificate="00""#),
        ("<onViolation", "<channels><peer/></channels><onViolation", "<peer/>"),
        (
            "<onViolation",
            r#"<channels><client clientId="x" superScpId="1"/></channels><onViolation"#,
            r#"clientId="x""#,
        ),
        // What is missing has no place: its element has.
        (r#" port="443""#, "", "<host "),
    ] {
        assert!(good.contains(from), "{from}");
        let xml = good.replacen(from, to, 1);
        let error = refused(&xml);
        let line = xml.lines().nth(error.line as usize - 1).unwrap();
        let rest: String = line.chars().skip(error.column as usize - 1).collect();
        assert!(rest.starts_with(points_at), "{error}: {rest}");
        assert!(error.to_string().contains(&format!("line {}:{}: ", error.line, error.column)));
    }
}

// spec-test: X-A16 X-Y02
#[test]
fn budgets_of_events_pins_and_peers_are_read() {
    let xml = policy(7, 1)
        .replace(r#"<event name="ChangeKey">"#, r#"<event name="ChangeKey" fuel="1234">"#)
        .replace(r#"port="443""#, &format!(r#"port="443" certificate="{}""#, "0a".repeat(32)))
        .replace(
            "<onViolation",
            r#"<channels><client clientId="9" superScpId="0xB002"/></channels><onViolation"#,
        );
    let read = parse_policy(xml.as_bytes()).unwrap();
    assert_eq!(read.limits.budget_of(portcullis_svm::Event::ChangeKey), 1234);
    assert_eq!(read.hosts[0].certificate, Some([0x0A; 32]));
    assert_eq!((read.peers[0].client_id.0, read.peers[0].super_scp_id.0), (9, 0xB002));
}

// attack-test: T-14
#[test]
fn nothing_stands_twice() {
    changed(
        r#"<syscall id="0x044" maxPerEvent="4"/>"#,
        r#"<syscall id="0x044" maxPerEvent="4"/><syscall id="68"/>"#,
    );
    changed(r#"<event name="ChangeKey">"#, r#"<event name="ChangeKey"/><event name="ChangeKey">"#);
    changed("<onViolation", r#"<instructions allow="rv32i rv32m"/><onViolation"#);
    changed(r#"report="true""#, r#"report="true" report="true""#);
    let lifetime =
        r#"<lifetime notBefore="2026-01-01T00:00:00Z" notAfter="2099-01-01T00:00:00Z"/>"#;
    changed("<onViolation", &format!("{lifetime}<onViolation"));
}

// spec-test: X-A16
// attack-test: T-14 T-24
#[test]
fn entities_and_document_types_are_refused() {
    let good = policy(7, 1);
    refused(&format!("<!DOCTYPE scp-policy>{good}"));
    let bomb = r#"<!DOCTYPE p [<!ENTITY a "1111111111"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
        <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>"#;
    refused(&format!("{bomb}{}", good.replace(r#"version="1""#, r#"version="&d;""#)));
    let file = r#"<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>"#;
    refused(&format!("{file}{}", good.replace("cas.example.org", "&x;")));
    changed("cas.example.org", "&undefined;");
}

// attack-test: T-14 T-24 T-19
#[test]
fn size_depth_and_number_have_limits() {
    let good = policy(7, 1);
    let padded = good.replace("<onViolation", &format!("{}<onViolation", " ".repeat(65536)));
    assert!(refused(&padded).what.contains("65536"));
    let deep = format!("{}{}", "<event>".repeat(5000), "</event>".repeat(5000));
    let deep = good.replace("<onViolation", &format!("{}<onViolation", &deep[..60_000]));
    refused(&deep);
    let nested = format!("{}{}", "<event>".repeat(20), "</event>".repeat(20));
    let what = refused(&good.replace("<onViolation", &format!("{nested}<onViolation"))).what;
    assert!(what.contains("deeper"), "{what}");
    let hosts = r#"<host name="a" port="1"/>"#.repeat(17);
    changed(r#"<host name="cas.example.org" port="443"/>"#, &hosts);
    assert!(parse_policy(b"\xFF\xFE").is_err());
    assert!(parse_policy(b"").is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text: String, at in 0usize..600) {
        let good = policy(7, 1);
        let at = at.min(good.len());
        let _ = parse_policy(format!("{}{text}{}", &good[..at], &good[at..]).as_bytes());
        let _ = parse_policy(text.as_bytes());
    }
}
