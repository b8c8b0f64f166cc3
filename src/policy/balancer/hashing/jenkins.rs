//! The 32-bit integer hash that HAProxy places servers with.

/// Bob Jenkins' full avalanche, then times a large odd number (HAProxy `full_hash`).
pub fn full_hash(value: u32) -> u32 {
    let mut a = value;
    a = a.wrapping_add(0x7ed5_5d16).wrapping_add(a << 12);
    a = (a ^ 0xc761_c23c) ^ (a >> 19);
    a = a.wrapping_add(0x1656_67b1).wrapping_add(a << 5);
    a = a.wrapping_add(0xd3a2_646c) ^ (a << 9);
    a = a.wrapping_add(0xfd70_46c5).wrapping_add(a << 3);
    a = (a ^ 0xb55a_4f09) ^ (a >> 16);
    a.wrapping_mul(3_221_225_473)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_step_by_step() {
        // By hand: each line of the definition on 0.
        let steps = 0x7ed5_5d16_u32 ^ 0xc761_c23c ^ (0x7ed5_5d16 >> 19);
        let steps = steps.wrapping_mul(33).wrapping_add(0x1656_67b1);
        let steps = steps.wrapping_add(0xd3a2_646c) ^ (steps << 9);
        let steps = steps.wrapping_mul(9).wrapping_add(0xfd70_46c5);
        let steps = steps ^ 0xb55a_4f09 ^ (steps >> 16);
        assert_eq!(full_hash(0), steps.wrapping_mul(0xC000_0001));
    }

    #[test]
    fn neighbours_land_apart_and_nobody_twice() {
        let mut all: Vec<u32> = (0..100_000).map(full_hash).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 100_000);
    }
}
