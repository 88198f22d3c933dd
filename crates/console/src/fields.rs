//! Fields of the programs' events. One that is missing or of another type is simply not there.

use portcullis_types::Parity;
use serde_json::Value;

/// Characters of a text that a program may put on the page.
const TEXT_MAX: usize = 200;

pub(crate) fn text(event: &Value, keys: &[&str]) -> Option<String> {
    let found = keys.iter().find_map(|key| event.get(key)?.as_str())?;
    Some(found.chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect())
}

pub(crate) fn text_or_number(event: &Value, keys: &[&str]) -> Option<String> {
    text(event, keys).or_else(|| Some(number(event, keys)?.to_string()))
}

pub(crate) fn number(event: &Value, keys: &[&str]) -> Option<u64> {
    keys.iter().find_map(|key| event.get(key)?.as_u64())
}

pub(crate) fn number32(event: &Value, keys: &[&str]) -> Option<u32> {
    u32::try_from(number(event, keys)?).ok()
}

pub(crate) fn flag(event: &Value, key: &str) -> Option<bool> {
    event.get(key)?.as_bool()
}

pub(crate) fn latency_us(event: &Value) -> Option<u64> {
    number(event, &["latency_us", "took_us", "us"])
        .or_else(|| number(event, &["latency_ms", "took_ms"]).map(|ms| ms.saturating_mul(1000)))
}

pub(crate) fn duration_ms(event: &Value) -> Option<u64> {
    number(event, &["duration_ms", "period_ms"])
        .or_else(|| number(event, &["duration_ds"]).map(|ds| ds.saturating_mul(100)))
}

pub(crate) fn parity(event: &Value) -> Option<Parity> {
    match event.get("parity")?.as_str()? {
        "even" => Some(Parity::Even),
        "odd" => Some(Parity::Odd),
        _ => None,
    }
}

pub(crate) const fn parity_of(cp_number: u64) -> Parity {
    if cp_number.is_multiple_of(2) { Parity::Even } else { Parity::Odd }
}

/// A program's words as a sentence for the page.
pub(crate) fn sentence(words: &str) -> String {
    let mut chars = words.trim_end_matches('.').chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
