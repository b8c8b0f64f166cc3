//! CRC-32 (IEEE 802.3, reflected): what nginx hashes keys and servers with.

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut value, mut bit) = (byte as u32, 0);
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ 0xEDB8_8320 } else { value >> 1 };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
}

/// A checksum under way, so that what is common to many texts is summed once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crc32(u32);

impl Default for Crc32 {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Crc32 {
    /// With these bytes appended.
    #[must_use]
    pub fn with(self, bytes: &[u8]) -> Self {
        let step = |sum: u32, byte: &u8| TABLE[usize::from(sum as u8 ^ byte)] ^ (sum >> 8);
        Self(bytes.iter().fold(self.0, step))
    }

    /// The checksum.
    pub fn value(self) -> u32 {
        !self.0
    }
}

/// The CRC-32 of these bytes.
///
/// ```
/// use loadpath::policy::balancer::hashing::crc32;
/// assert_eq!(crc32(b"123456789"), 0xCBF4_3926); // the check value of CRC-32/ISO-HDLC
/// ```
pub fn crc32(bytes: &[u8]) -> u32 {
    Crc32::default().with(bytes).value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values() {
        // As zlib has them; the last is in every table of examples.
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"a"), 0xE8B7_BE43);
        assert_eq!(crc32(b"The quick brown fox jumps over the lazy dog"), 0x414F_A339);
        assert_eq!(Crc32::default().with(b"1234").with(b"56789"), Crc32::default().with(b"123456789"));
    }
}
