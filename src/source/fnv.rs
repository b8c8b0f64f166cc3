//! A hash that stays the same.

/// FNV-1a, 64 bits: stable across runs, platforms and versions, as an identity must be.
/// Source: <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>.
#[derive(Debug, Clone, Copy)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Takes a text in, and an end behind it: `a`, `bc` is not `ab`, `c`.
    pub fn part(&mut self, text: &str) {
        for byte in text.bytes().chain(std::iter::once(0)) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// What it comes to, as 16 hexadecimal digits.
    pub fn hex(self) -> String {
        format!("{:016x}", self.0)
    }
}
