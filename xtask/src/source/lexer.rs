//! Just enough of Rust's lexical grammar to look at code without its comments and strings.

/// The code with comments, strings and character literals blanked; lines keep their numbers.
pub(crate) fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes.get(at) {
            Some(b'/') if bytes.get(at + 1) == Some(&b'/') => line_end(bytes, at),
            Some(b'/') if bytes.get(at + 1) == Some(&b'*') => block_end(bytes, at),
            Some(b'"') => string_end(bytes, at),
            Some(b'r') if !is_word_before(bytes, at) => raw_string_end(bytes, at),
            Some(b'\'') => char_end(bytes, at),
            _ => at,
        };
        if end == at {
            at += 1;
            continue;
        }
        for byte in out.iter_mut().take(end).skip(at).filter(|byte| **byte != b'\n') {
            *byte = b' ';
        }
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `code` (see [`code_only`]) with the items under `#[cfg(test)]` blanked as well.
pub(crate) fn without_tests(code: &str) -> String {
    let mut out = code.as_bytes().to_vec();
    let mut from = 0;
    while let Some(found) = code.get(from..).and_then(|rest| rest.find("#[cfg(test)]")) {
        let start = from + found;
        let end = item_end(code.as_bytes(), start);
        for byte in out.iter_mut().take(end).skip(start).filter(|byte| **byte != b'\n') {
            *byte = b' ';
        }
        from = end.max(start + 1);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The end of the item that starts at `at`: its closing brace, or a semicolon before any brace.
fn item_end(code: &[u8], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, byte) in code.iter().enumerate().skip(at) {
        match byte {
            b';' if depth == 0 => return index + 1,
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes.iter().skip(at).position(|byte| *byte == b'\n').map_or(bytes.len(), |n| at + n)
}

fn block_end(bytes: &[u8], at: usize) -> usize {
    let mut depth = 0_usize;
    let mut index = at;
    while index < bytes.len() {
        match (bytes.get(index), bytes.get(index + 1)) {
            (Some(b'/'), Some(b'*')) => {
                depth += 1;
                index += 2;
            }
            (Some(b'*'), Some(b'/')) => {
                depth = depth.saturating_sub(1);
                index += 2;
                if depth == 0 {
                    return index;
                }
            }
            _ => index += 1,
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut index = at + 1;
    while let Some(byte) = bytes.get(index) {
        match byte {
            b'\\' => index += 2,
            b'"' => return index + 1,
            _ => index += 1,
        }
    }
    bytes.len()
}

fn raw_string_end(bytes: &[u8], at: usize) -> usize {
    let hashes = bytes.iter().skip(at + 1).take_while(|byte| **byte == b'#').count();
    if bytes.get(at + 1 + hashes) != Some(&b'"') {
        return at;
    }
    let mut index = at + 2 + hashes;
    while index < bytes.len() {
        let closes = bytes.get(index) == Some(&b'"')
            && bytes.iter().skip(index + 1).take(hashes).filter(|b| **b == b'#').count() == hashes;
        if closes {
            return index + 1 + hashes;
        }
        index += 1;
    }
    bytes.len()
}

/// A character literal's end, or `at` when the quote starts a lifetime.
fn char_end(bytes: &[u8], at: usize) -> usize {
    if bytes.get(at + 1) == Some(&b'\\') {
        let close = bytes.iter().skip(at + 3).position(|byte| *byte == b'\'');
        return close.map_or(bytes.len(), |n| at + 3 + n + 1);
    }
    // One character of up to four octets between the quotes.
    for length in 1..=4 {
        if bytes.get(at + 1 + length) == Some(&b'\'') {
            let letters = bytes.get(at + 1..at + 1 + length);
            let one = letters.and_then(|b| std::str::from_utf8(b).ok());
            return if one.is_some_and(|s| s.chars().count() == 1) { at + length + 2 } else { at };
        }
    }
    at
}

fn is_word_before(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(1)
        .and_then(|before| bytes.get(before))
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_blanked() {
        let code =
            code_only("let a = \"std::fs\"; // unsafe\n/* unsafe /* x */ */ let c = '\"'; b");
        assert!(!code.contains("unsafe") && !code.contains("std::fs"), "{code}");
        assert!(code.contains("let c =") && code.ends_with("; b"), "{code}");
    }

    #[test]
    fn lifetimes_and_raw_strings_do_not_swallow_code() {
        let code = code_only("fn f<'a>(x: &'a str) { r#\"un\"safe\"#; for_r\"x\"; '\\''; g() }");
        assert!(code.contains("fn f<'a>(x: &'a str)") && code.contains("g()"), "{code}");
        assert!(!code.contains("safe"), "{code}");
    }

    #[test]
    fn test_modules_are_blanked() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { std::fs } }\nfn c() {}\n\
                    #[cfg(test)]\nmod more;\nfn d() {}";
        let rest = without_tests(code);
        assert!(!rest.contains("std::fs") && !rest.contains("more"), "{rest}");
        assert!(rest.contains("fn c()") && rest.contains("fn d()"), "{rest}");
    }
}
