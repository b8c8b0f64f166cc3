//! `MurmurHash2` for 64 bits, as libstdc++ has it for `std::hash`: Envoy's `MURMUR_HASH_2`.

use super::little_endian;

/// The seed of libstdc++, and so of Envoy.
pub const STD_HASH_SEED: u64 = 0xc70f_6907;

const FACTOR: u64 = 0xc6a4_a793_5bd1_e995;

fn mix(value: u64) -> u64 {
    value ^ (value >> 47)
}

/// `MurmurHash64A` of these bytes.
///
/// ```
/// use loadpath::policy::balancer::hashing::{STD_HASH_SEED, murmur_hash2};
/// assert_eq!(murmur_hash2(b"lyft", STD_HASH_SEED), 12_847_078_931_730_529_320); // Envoy's hash_test.cc
/// ```
pub fn murmur_hash2(bytes: &[u8], seed: u64) -> u64 {
    let mut hash = seed ^ (bytes.len() as u64).wrapping_mul(FACTOR);
    let eights = bytes.chunks_exact(8);
    let rest = eights.remainder();
    for eight in eights {
        let block = mix(little_endian(eight).wrapping_mul(FACTOR)).wrapping_mul(FACTOR);
        hash = (hash ^ block).wrapping_mul(FACTOR);
    }
    if !rest.is_empty() {
        hash = (hash ^ little_endian(rest)).wrapping_mul(FACTOR);
    }
    mix(mix(hash).wrapping_mul(FACTOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envoys_own_values() {
        // test/common/common/hash_test.cc; std::hash<std::string> of libstdc++ gives the same.
        let hash = |bytes: &[u8]| murmur_hash2(bytes, STD_HASH_SEED);
        assert_eq!(hash(b"foo"), 9_631_199_822_919_835_226);
        assert_eq!(hash(b"bar"), 11_474_628_671_133_349_555);
        assert_eq!(hash(b"foo\nbar"), 16_306_510_975_912_980_159);
        assert_eq!(hash(b""), 6_142_509_188_972_423_790);
    }
}
