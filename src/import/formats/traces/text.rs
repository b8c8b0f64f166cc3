//! Single values of traces, however they are written: numbers as texts, identifiers in hexadecimal or base64.

use crate::source::Fnv;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;

/// A value that may be a text, a number or a truth value.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Text<'a> {
    /// A text.
    Said(Cow<'a, str>),
    /// A number without a sign.
    Number(u64),
    /// Yes or no.
    Is(bool),
    /// Anything else.
    #[default]
    Other,
}

impl<'a> Text<'a> {
    /// Its text.
    pub fn text(&self) -> &str {
        if let Self::Said(text) = self { text } else { "" }
    }

    /// Its text; `None` for an empty one and for what is none.
    pub fn said(self) -> Option<Cow<'a, str>> {
        if let Self::Said(text) = self { Some(text).filter(|t| !t.trim().is_empty()) } else { None }
    }

    /// A number, as a text or as it is; 0 for anything else.
    pub fn number(&self) -> u64 {
        match self {
            Self::Number(number) => *number,
            Self::Said(text) => text.trim().parse().unwrap_or(0),
            Self::Is(_) | Self::Other => 0,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyText)
    }
}

struct AnyText;

impl<'de> Visitor<'de> for AnyText {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text::Said(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text::Said(Cow::Owned(text.to_owned())))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Text::Number(number))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(u64::try_from(number).map_or(Text::Other, Text::Number))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(if number >= 0.0 { Text::Number(number as u64) } else { Text::Other })
    }
    fn visit_bool<E>(self, is: bool) -> Result<Self::Value, E> {
        Ok(Text::Is(is))
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Text::Other)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text::Other)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text::Other)
    }
}

/// The number an identifier stands for: hexadecimal in either case, or base64 of 8 or 16 bytes. Any other text
/// stands for a number of its own. Nothing is 0.
pub fn identifier(text: &str) -> u128 {
    let bytes = text.as_bytes();
    if let Some(number) = hexadecimal(bytes) {
        return number;
    }
    let coded = text.trim_end_matches('=');
    let number = matches!(coded.len(), 11 | 22).then(|| base64(coded.as_bytes())).flatten();
    number.unwrap_or_else(|| {
        let mut hash = Fnv::default();
        hash.part(text);
        // Beside all 64-bit identifiers.
        u128::from_str_radix(&hash.hex(), 16).unwrap_or(0) | 1 << 64
    })
}

fn hexadecimal(bytes: &[u8]) -> Option<u128> {
    if bytes.len() > 32 {
        return None;
    }
    let digits = bytes.iter().map(|b| char::from(*b).to_digit(16));
    digits.into_iter().try_fold(0, |sum, digit| Some(sum << 4 | u128::from(digit?)))
}

fn base64(bytes: &[u8]) -> Option<u128> {
    let mut sum = 0_u128;
    let (last, before) = bytes.split_last()?;
    let six = |byte: &u8| {
        Some(u128::from(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        }))
    };
    for byte in before {
        sum = sum << 6 | six(byte)?;
    }
    // The last sign of 8 bytes has four bits, that of 16 bytes has two.
    let bits = if bytes.len() == 11 { 4 } else { 2 };
    Some(sum << bits | six(last)? >> (6 - bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_numbers_however_they_are_written() {
        let number = 0x49cd_77d2_7736_7fb3;
        for text in
            ["49cd77d277367fb3", "49CD77D277367FB3", "000000000000000049cd77d277367fb3", "Sc130nc2f7M="]
        {
            assert_eq!(identifier(text), number, "{text}");
        }
        let long = "5b8efff798038103d269b633813fc60c";
        assert_eq!(identifier("W47/95gDgQPSabYzgT/GDA=="), identifier(long));
        assert_eq!(identifier(&long.to_uppercase()), u128::from_str_radix(long, 16).unwrap());
        assert_eq!(identifier(""), 0);
        assert_eq!(identifier("0000000000000000"), 0);
        assert_ne!(identifier("span one"), identifier("span two"));
    }

    #[test]
    fn a_value_is_a_text_a_number_or_neither() {
        let read = |text: &'static str| serde_json::from_str::<Text<'_>>(text).unwrap();
        for (text, number) in
            [("7", 7), ("\"7\"", 7), ("7.9", 7), ("-1", 0), ("null", 0), ("[1]", 0), ("{\"a\":1}", 0)]
        {
            assert_eq!(read(text).number(), number, "{text}");
        }
        assert_eq!(read("true"), Text::Is(true));
        assert_eq!(read("\"a\\u0062\"").text(), "ab");
        assert_eq!(read("\" \"").said(), None);
    }
}
