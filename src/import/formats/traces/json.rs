//! JSON as it comes in: which value stands where, without holding more than one value that is asked for.
//!
//! Must not know what the values mean. What is skipped is not judged; what is handed out is for a parser.

use std::io::Read;

/// Bytes that are asked for at a time.
const CHUNK: usize = 256 * 1024;

/// Why a text cannot be read on.
#[derive(Debug, PartialEq, Eq)]
pub enum Broken {
    /// It could not be had.
    Io(String),
    /// It ends in the middle of a value.
    Cut,
    /// Something else is expected there.
    Unexpected(u8),
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// The line, from 0.
    pub line: u32,
    /// Bytes of the line before it.
    pub column: u32,
}

/// A text that is read from front to back.
pub struct Stream<'r> {
    from: Box<dyn Read + 'r>,
    buffer: Vec<u8>,
    /// The next byte, and the end of what is there.
    at: usize,
    end: usize,
    /// Where in the whole text the buffer begins.
    base: u64,
    line: u32,
    /// Where in the whole text the line begins.
    line_start: u64,
    /// A value that is handed out has no more bytes.
    longest: usize,
}

impl<'r> Stream<'r> {
    /// A text, of which values up to `longest` bytes are handed out.
    pub fn new(from: Box<dyn Read + 'r>, longest: usize) -> Self {
        Self { from, buffer: Vec::new(), at: 0, end: 0, base: 0, line: 0, line_start: 0, longest }
    }

    /// Where the next byte is.
    pub fn place(&self) -> Place {
        let column = (self.base + self.at as u64).saturating_sub(self.line_start);
        Place { line: self.line, column: u32::try_from(column).unwrap_or(u32::MAX) }
    }

    /// Reads on; what lies before `keep` is forgotten. By how much everything has moved to the front, or
    /// `None` at the end of the text.
    fn more(&mut self, keep: usize) -> Result<Option<usize>, Broken> {
        self.buffer.copy_within(keep..self.end, 0);
        (self.base, self.at, self.end) =
            (self.base + keep as u64, self.at.saturating_sub(keep), self.end - keep);
        if self.buffer.len() < self.end + CHUNK {
            self.buffer.resize((self.end + CHUNK).max(self.buffer.len() * 2), 0);
        }
        loop {
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.from.read(room) {
                Ok(0) => return Ok(None),
                Ok(read) => {
                    self.end += read;
                    return Ok(Some(keep));
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Broken::Io(error.to_string())),
            }
        }
    }

    /// The next byte that is no white space, which stays; `None` at the end.
    pub fn peek(&mut self) -> Result<Option<u8>, Broken> {
        loop {
            let rest = self.buffer.get(self.at..self.end).unwrap_or_default();
            for byte in rest {
                match byte {
                    b'\n' => {
                        self.line = self.line.saturating_add(1);
                        self.line_start = self.base + self.at as u64 + 1;
                    }
                    b' ' | b'\t' | b'\r' => {}
                    // The mark of byte order.
                    0xef | 0xbb | 0xbf if self.base + (self.at as u64) < 3 => {}
                    byte => return Ok(Some(*byte)),
                }
                self.at += 1;
            }
            if self.more(self.at)?.is_none() {
                return Ok(None);
            }
        }
    }

    /// Passes one byte that must be there.
    pub fn pass(&mut self, byte: u8) -> Result<(), Broken> {
        match self.peek()? {
            Some(found) if found == byte => {
                self.at += 1;
                Ok(())
            }
            Some(found) => Err(Broken::Unexpected(found)),
            None => Err(Broken::Cut),
        }
    }

    /// Passes one byte if it is there.
    pub fn passed(&mut self, byte: u8) -> Result<bool, Broken> {
        let there = self.peek()?.ok_or(Broken::Cut)? == byte;
        self.at += usize::from(there);
        Ok(there)
    }

    /// The next key with its colon, as it is written between its quotes; one that is longer than any we know
    /// is empty.
    pub fn key(&mut self) -> Result<([u8; 32], usize), Broken> {
        match self.peek()? {
            Some(b'"') => {}
            Some(found) => return Err(Broken::Unexpected(found)),
            None => return Err(Broken::Cut),
        }
        let mut key = ([0; 32], 0);
        let (bytes, _) = self.value()?;
        let inner = bytes.get(1..bytes.len().saturating_sub(1)).unwrap_or_default();
        if let Some(space) = key.0.get_mut(..inner.len()) {
            space.copy_from_slice(inner);
            key.1 = inner.len();
        }
        self.pass(b':')?;
        Ok(key)
    }

    /// The bytes of the next value and where it begins; of one that is too long nothing.
    pub fn value(&mut self) -> Result<(&[u8], Place), Broken> {
        let place = self.begin()?;
        let range = self.scan(true)?;
        Ok((range.and_then(|(from, to)| self.buffer.get(from..to)).unwrap_or_default(), place))
    }

    /// Passes the next value.
    pub fn skip(&mut self) -> Result<(), Broken> {
        self.begin()?;
        self.scan(false).map(|_| ())
    }

    fn begin(&mut self) -> Result<Place, Broken> {
        match self.peek()? {
            Some(byte @ (b',' | b':' | b']' | b'}')) => Err(Broken::Unexpected(byte)),
            None => Err(Broken::Cut),
            Some(_) => Ok(self.place()),
        }
    }

    /// Passes the value that begins here; where in the buffer it is, if it is to be kept and not too long.
    fn scan(&mut self, keep: bool) -> Result<Option<(usize, usize)>, Broken> {
        let mut scan = Scan::default();
        let (mut start, mut kept) = (self.at, keep);
        loop {
            let rest = self.buffer.get(self.at..self.end).unwrap_or_default();
            let (length, done) = scan.take(rest);
            if let Some(last) = scan.last_break.take() {
                self.line = self.line.saturating_add(scan.breaks);
                self.line_start = self.base + (self.at + last) as u64 + 1;
                scan.breaks = 0;
            }
            self.at += length;
            if done {
                return Ok(kept.then_some((start, self.at)));
            }
            kept &= self.at.saturating_sub(start) <= self.longest;
            match self.more(if kept { start } else { self.at })? {
                Some(moved) => start = start.saturating_sub(moved),
                None if scan.complete() => return Ok(kept.then_some((0, self.at))),
                None => return Err(Broken::Cut),
            }
        }
    }
}

/// How far a value has been passed.
#[derive(Debug, Default)]
struct Scan {
    depth: usize,
    text: bool,
    escaped: bool,
    /// A number or a word.
    plain: bool,
    breaks: u32,
    last_break: Option<usize>,
}

impl Scan {
    /// Bytes that belong to the value, and whether it ends with them.
    fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        if std::mem::take(&mut self.escaped) {
            if bytes.is_empty() {
                self.escaped = true;
                return (0, false);
            }
            at = 1;
        }
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if self.text {
                let Some(found) = rest.iter().position(|b| matches!(b, b'"' | b'\\')) else {
                    return (bytes.len(), false);
                };
                at += found + 1;
                if rest.get(found) == Some(&b'"') {
                    self.text = false;
                    if self.depth == 0 {
                        return (at, true);
                    }
                } else if at < bytes.len() {
                    at += 1;
                } else {
                    self.escaped = true;
                }
                continue;
            }
            if self.depth == 0 && !matches!(rest.first(), Some(b'"' | b'{' | b'[')) {
                self.plain = true;
                let ends = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n' | b',' | b']' | b'}');
                return rest.iter().position(ends).map_or((bytes.len(), false), |found| (at + found, true));
            }
            let Some(found) = rest.iter().position(|b| SIGNS.get(usize::from(*b)).is_some_and(|s| *s)) else {
                return (bytes.len(), false);
            };
            at += found + 1;
            match rest.get(found) {
                Some(b'"') => self.text = true,
                Some(b'{' | b'[') => self.depth += 1,
                Some(b'}' | b']') => self.depth = self.depth.saturating_sub(1),
                Some(b'\n') => (self.breaks, self.last_break) = (self.breaks + 1, Some(at - 1)),
                _ => {}
            }
            if self.depth == 0 && !self.text {
                return (at, true);
            }
        }
        (at, false)
    }

    /// Whether the value may end with the text.
    const fn complete(&self) -> bool {
        self.depth == 0 && !self.text && self.plain
    }
}

/// The bytes that mean something outside of texts.
const SIGNS: [bool; 256] = {
    let mut all = [false; 256];
    let (signs, mut at) = (b"\"{}[]\n", 0);
    while at < signs.len() {
        all[signs[at] as usize] = true;
        at += 1;
    }
    all
};

#[cfg(test)]
mod tests {
    use super::*;

    /// A text that comes in pieces.
    struct Pieces<'t>(&'t [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn values(text: &str, size: usize, longest: usize) -> (Vec<String>, Option<Broken>) {
        let mut stream = Stream::new(Box::new(Pieces(text.as_bytes(), size)), longest);
        let mut all = Vec::new();
        loop {
            match stream.peek() {
                Ok(None) => return (all, None),
                Ok(Some(_)) => {}
                Err(broken) => return (all, Some(broken)),
            }
            match stream.value() {
                Ok((bytes, at)) => {
                    all.push(format!("{}:{} {}", at.line, at.column, String::from_utf8_lossy(bytes)));
                }
                Err(broken) => return (all, Some(broken)),
            }
        }
    }

    #[test]
    fn values_are_told_apart_however_they_come_in() {
        for size in [1, 2, 3, 7, 1000] {
            let text = "{\"a\": \"}\\\"\\\\\", \"b\":[1,{}]}\n  \"x\\\\\" \n[\n1,\n2] 17\n true";
            let (all, broken) = values(text, size, 100);
            let expected = [
                "0:0 {\"a\": \"}\\\"\\\\\", \"b\":[1,{}]}",
                "1:2 \"x\\\\\"",
                "2:0 [\n1,\n2]",
                "4:3 17",
                "5:1 true",
            ];
            assert_eq!((all, broken), (expected.map(str::to_owned).to_vec(), None), "pieces of {size}");
        }
    }

    #[test]
    fn a_text_may_end_in_the_middle() {
        for (text, broken) in [
            ("", None),
            ("{", Some(Broken::Cut)),
            ("{\"a", Some(Broken::Cut)),
            ("\"a\\", Some(Broken::Cut)),
            ("[1, 2", Some(Broken::Cut)),
            ("]", Some(Broken::Unexpected(b']'))),
            ("12", None),
            ("\u{feff}{}", None),
        ] {
            assert_eq!(values(text, 2, 100).1, broken, "{text}");
        }
    }

    #[test]
    fn what_is_too_long_is_passed() {
        let long = format!("\"{}\"", "x".repeat(2 * CHUNK));
        let (all, broken) = values(&format!("{long} {{}}"), 1000, 5000);
        assert_eq!((all.len(), broken), (2, None));
        assert_eq!(all[0], "0:0 ");
        assert!(all[1].ends_with("{}"));
    }
}
