//! xxHash64: Envoy's default for rings, tables and keys.

use super::little_endian;

const PRIMES: [u64; 5] = [
    0x9E37_79B1_85EB_CA87,
    0xC2B2_AE3D_27D4_EB4F,
    0x1656_67B1_9E37_79F9,
    0x85EB_CA77_C2B2_AE63,
    0x27D4_EB2F_1656_67C5,
];

fn round(lane: u64, input: u64) -> u64 {
    let mixed = lane.wrapping_add(input.wrapping_mul(PRIMES[1]));
    mixed.rotate_left(31).wrapping_mul(PRIMES[0])
}

/// Four lanes over the whole stripes of 32 bytes, then the lanes as one number.
fn stripes(bytes: &[u8], seed: u64) -> u64 {
    let mut lanes = [
        seed.wrapping_add(PRIMES[0]).wrapping_add(PRIMES[1]),
        seed.wrapping_add(PRIMES[1]),
        seed,
        seed.wrapping_sub(PRIMES[0]),
    ];
    for stripe in bytes.chunks_exact(32) {
        for (lane, input) in lanes.iter_mut().zip(stripe.chunks_exact(8)) {
            *lane = round(*lane, little_endian(input));
        }
    }
    let turned = lanes.iter().zip([1, 7, 12, 18]).map(|(lane, by)| lane.rotate_left(by));
    let sum = turned.fold(0, u64::wrapping_add);
    let merge =
        |hash: u64, lane: &u64| (hash ^ round(0, *lane)).wrapping_mul(PRIMES[0]).wrapping_add(PRIMES[3]);
    lanes.iter().fold(sum, merge)
}

/// xxHash64 of these bytes.
///
/// ```
/// use loadpath::policy::balancer::hashing::xxhash64;
/// assert_eq!(xxhash64(b"lyft", 0), 4_400_747_396_090_729_504); // Envoy's hash_test.cc
/// ```
pub fn xxhash64(bytes: &[u8], seed: u64) -> u64 {
    let mut hash = if bytes.len() < 32 { seed.wrapping_add(PRIMES[4]) } else { stripes(bytes, seed) };
    hash = hash.wrapping_add(bytes.len() as u64);
    let mut eights = bytes.chunks_exact(32).remainder().chunks_exact(8);
    for eight in eights.by_ref() {
        hash ^= round(0, little_endian(eight));
        hash = hash.rotate_left(27).wrapping_mul(PRIMES[0]).wrapping_add(PRIMES[3]);
    }
    let mut fours = eights.remainder().chunks_exact(4);
    for four in fours.by_ref() {
        hash ^= little_endian(four).wrapping_mul(PRIMES[0]);
        hash = hash.rotate_left(23).wrapping_mul(PRIMES[1]).wrapping_add(PRIMES[2]);
    }
    for byte in fours.remainder() {
        hash ^= u64::from(*byte).wrapping_mul(PRIMES[4]);
        hash = hash.rotate_left(11).wrapping_mul(PRIMES[0]);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(PRIMES[1]);
    hash = (hash ^ (hash >> 29)).wrapping_mul(PRIMES[2]);
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envoys_own_values() {
        // test/common/common/hash_test.cc
        assert_eq!(xxhash64(b"foo", 0), 3_728_699_739_546_630_719);
        assert_eq!(xxhash64(b"bar", 0), 5_234_164_152_756_840_025);
        assert_eq!(xxhash64(b"foo\nbar", 0), 8_917_841_378_505_826_757);
        assert_eq!(xxhash64(b"", 0), 17_241_709_254_077_376_921);
    }

    #[test]
    fn the_reference_implementations_sanity_check() {
        // xxHash r35 to 0.6, `BMK_sanityCheck`: 101 bytes of squares modulo 2^32, both seeds.
        let prime = 2_654_435_761_u32;
        let buffer: Vec<u8> = std::iter::successors(Some(prime), |n| Some(n.wrapping_mul(*n)))
            .map(|n| (n >> 24) as u8)
            .take(101)
            .collect();
        let seeded = |length: usize| xxhash64(&buffer[..length], u64::from(prime));
        let plain = |length: usize| xxhash64(&buffer[..length], 0);
        assert_eq!(plain(1), 0x4FCE_394C_C889_52D8);
        assert_eq!(seeded(1), 0x7398_40CB_819F_A723);
        assert_eq!(plain(14), 0xCFFA_8DB8_81BC_3A3D);
        assert_eq!(seeded(14), 0x5B96_1158_5EFC_C9CB);
        assert_eq!(plain(101), 0x0EAB_5433_84F8_78AD);
        assert_eq!(seeded(101), 0xCAA6_5939_306F_1E21);
        assert_eq!(seeded(0), 0xAC75_FDA2_929B_17EF);
    }
}
