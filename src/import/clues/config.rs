//! Addresses in configuration files, whatever their syntax: nginx, Envoy, JSON, YAML, properties. A line is
//! cut into pieces of a key and a value; a bare word is a host only where the key says so.

use super::address::{Address, in_value};
use super::keys::{is_address, is_never_called};

/// An address in a file.
#[derive(Debug)]
pub struct Found {
    /// The address; its bytes count from the start of the text.
    pub address: Address,
    /// The key it stands under; empty where there is none.
    pub key: String,
}

/// All addresses of a text. Comments (`#`, `//`, `;` at the start of a line) are left out.
pub fn addresses(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let trimmed = line.trim_start();
        if trimmed.starts_with('#') || trimmed.starts_with("//") || trimmed.starts_with(';') {
            continue;
        }
        let line = line.split_once(" #").map_or(line, |(before, _)| before);
        let mut from = 0;
        let ends = line.char_indices().filter(|(_, c)| matches!(c, '{' | '}')).map(|(i, _)| i);
        for end in ends.chain([line.len()]) {
            if let Some(piece) = line.get(from..end) {
                pieces(piece, start + from, &mut found);
            }
            from = end + 1;
        }
    }
    found
}

fn pieces(piece: &str, start: usize, found: &mut Vec<Found>) {
    let mut from = 0;
    // `, "key": …` begins a new piece; a comma between hosts does not.
    let commas = piece.match_indices(',').map(|(i, _)| i).filter(|i| {
        piece
            .get(i + 1..)
            .is_some_and(|rest| rest.split([',', '}']).next().is_some_and(|next| key_of(next).is_some()))
    });
    for end in commas.chain([piece.len()]) {
        let Some(one) = piece.get(from..end) else { continue };
        let (key, value) = key_of(one).unwrap_or(("", 0));
        if !is_never_called(key) {
            let text = one.get(value..).unwrap_or_default();
            let bare = text.trim_start_matches([' ', '\t', '"', '\'', '[']);
            let quotes = text.len() - bare.len();
            let bare = bare.trim_end_matches([' ', '\t', '\r', '\n', '"', '\'', ']', ';']);
            // nginx names a group of servers so.
            let named = key == "upstream" && !one.get(..value).unwrap_or_default().ends_with([':', '=']);
            for mut address in in_value(bare, is_address(key) && !named) {
                let moved = start + from + value + quotes;
                address.range = address.range.start + moved..address.range.end + moved;
                found.push(Found { address, key: key.to_owned() });
            }
        }
        from = end + 1;
    }
}

/// `key: value`, `key = value`, `"key": value`, `key value`: the key, and where the value begins.
fn key_of(piece: &str) -> Option<(&str, usize)> {
    let lead = piece.len() - piece.trim_start_matches([' ', '\t', '-', '"', '\'', '@']).len();
    let rest = piece.get(lead..)?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_.-$".contains(c)))?;
    let key = rest.get(..end).filter(|k| !k.is_empty())?;
    let after = rest.get(end..)?;
    let gap = after.len() - after.trim_start_matches(['"', '\'', ' ', '\t']).len();
    let next = after.get(gap..)?.chars().next();
    let separator = match next {
        // `http://…` is no key.
        Some(':') if !after.get(gap..)?.starts_with("://") => 1,
        Some('=') => 1,
        _ if after.starts_with([' ', '\t']) => 0,
        _ => return None,
    };
    // `orders:8080` is a host with its port, not a key.
    let value = after.get(gap + separator..)?;
    let port = separator == 1 && next == Some(':') && value.starts_with(|c: char| c.is_ascii_digit());
    (!port).then_some((key, lead + end + gap + separator))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_in_files_of_many_kinds() {
        for (text, expected) in [
            ("location / {\n  proxy_pass http://orders:8080/x;\n}", &["orders"][..]),
            ("upstream b { server cart:80 weight=2; server user:80; }", &["cart", "user"]),
            ("# proxy_pass http://old:80;\n", &[]),
            ("address: { socket_address: { address: ledger, port_value: 80 } }", &["ledger"]),
            ("\"user-service\": { \"addr\": \"user-service\", \"port\": 9090 }", &["user-service"]),
            ("spring.data.mongodb.uri=mongodb://store:27017/x", &["store"]),
            ("db.host=store\ndb.name=orders", &["store"]),
            ("servers: a:9092,b:9092", &["a", "b"]),
            ("listen: orders:80", &[]),
            ("    proxy_pass $scheme://x:80;", &["x"]),
            ("title: orders", &[]),
        ] {
            let hosts: Vec<_> = addresses(text).into_iter().map(|f| f.address.host).collect();
            assert_eq!(hosts, expected, "{text}");
            for found in addresses(text) {
                assert_eq!(&text[found.address.range.clone()], found.address.host, "{text}");
            }
        }
    }
}
