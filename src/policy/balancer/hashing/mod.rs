//! The hash functions of the products, bit for bit: whoever hashes a key or a host otherwise gets
//! another ring.
//!
//! Owns functions of bytes. Must not know what is hashed.

mod crc32;
mod jenkins;
mod mersenne;
mod murmur;
mod xxhash;

pub use crc32::{Crc32, crc32};
pub use jenkins::full_hash;
pub use mersenne::Mersenne;
pub use murmur::{STD_HASH_SEED, murmur_hash2};
pub use xxhash::xxhash64;

/// Names for hosts that have none: `10.0.0.1:80` and on, the same for the same index in every run.
pub fn addresses(hosts: usize) -> Vec<String> {
    let octet = |n: usize, shift: u32| (n >> shift) & 255;
    (1..=hosts).map(|n| format!("10.{}.{}.{}:80", octet(n, 16), octet(n, 8), octet(n, 0))).collect()
}

/// The bytes as a number, least significant first.
fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}
