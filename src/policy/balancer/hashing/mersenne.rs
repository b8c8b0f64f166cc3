//! MT19937, `std::mt19937`: Envoy orders the hosts that help out an overloaded one with it.

const WORDS: usize = 624;

/// The generator of Matsumoto and Nishimura (1998), seeded as C++ seeds it.
///
/// ```
/// use loadpath::policy::balancer::hashing::Mersenne;
/// let mut random = Mersenne::new(5489);
/// assert_eq!((0..10_000).map(|_| random.bits()).last(), Some(4_123_659_995)); // the C++ standard
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mersenne {
    state: [u32; WORDS],
    at: usize,
}

impl Mersenne {
    /// From the low half of the seed.
    pub fn new(seed: u64) -> Self {
        let mut word = seed as u32;
        let mut state = [word; WORDS];
        for (index, slot) in (0..).zip(&mut state).skip(1) {
            word = (word ^ (word >> 30)).wrapping_mul(1_812_433_253).wrapping_add(index);
            *slot = word;
        }
        Self { state, at: 0 }
    }

    /// The next 32 bits. Words are renewed one by one as they are used, so that a short sequence
    /// does not pay for all 624.
    pub fn bits(&mut self) -> u32 {
        let word = |ahead: usize| (self.at + ahead) % WORDS;
        let joined = (self.state[self.at] & 0x8000_0000) | (self.state[word(1)] & 0x7fff_ffff);
        let twist = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
        let fresh = self.state[word(397)] ^ (joined >> 1) ^ twist;
        self.state[self.at] = fresh;
        self.at = word(1);
        let mut out = fresh ^ (fresh >> 11);
        out ^= (out << 7) & 0x9d2c_5680;
        out ^= (out << 15) & 0xefc6_0000;
        out ^ (out >> 18)
    }

    /// A number below `bound` (at least 1), by division and rejection as Envoy has it.
    pub fn below(&mut self, bound: u32) -> u32 {
        let bound = bound.max(1);
        let part = (1_u64 << 32) / u64::from(bound);
        loop {
            let drawn = u64::from(self.bits()) / part;
            if drawn < u64::from(bound) {
                return drawn as u32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_outputs_of_the_default_seed() {
        // mt19937ar.c with init_genrand(5489), as published by many; and seed 1.
        let first = |seed: u64| {
            let mut random = Mersenne::new(seed);
            [random.bits(), random.bits(), random.bits()]
        };
        assert_eq!(first(5489), [3_499_211_612, 581_869_302, 3_890_346_734]);
        assert_eq!(first(1), [1_791_095_845, 4_282_876_139, 3_093_770_124]);
        assert_eq!(first((7 << 32) + 1), first(1));
    }
}
