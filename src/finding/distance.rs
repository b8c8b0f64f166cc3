//! How many edits lie between a word and each of many others.

/// A word that others are compared with.
pub(super) struct To<'w> {
    word: &'w str,
    /// For each ASCII character at which places of the word it stands; none where the word is no short ASCII.
    places: Option<[u64; 128]>,
}

impl<'w> To<'w> {
    /// A word in small letters.
    pub(super) fn new(word: &'w str) -> Self {
        let short = word.is_ascii() && (1..=64).contains(&word.len());
        let places = short.then(|| {
            let mut places = [0; 128];
            for (at, byte) in word.bytes().enumerate() {
                places[usize::from(byte & 127)] |= 1 << at;
            }
            places
        });
        Self { word, places }
    }

    /// Insertions, deletions, replacements and swaps of neighbours (each part edited once) up to `other` in
    /// small letters. A column of the table at once, in the bits of a word, where it can be done: H. Hyyrö,
    /// "A bit-vector algorithm for computing Levenshtein and Damerau edit distances", 2003.
    pub(super) fn of(&self, other: &str) -> usize {
        let Some(places) = self.places.as_ref().filter(|_| other.is_ascii()) else {
            return strsim::osa_distance(self.word, &other.to_lowercase());
        };
        let last = 1_u64 << (self.word.len() - 1);
        let (mut up, mut down, mut diagonal, mut before) = (u64::MAX, 0_u64, 0_u64, 0_u64);
        let mut distance = self.word.len();
        for byte in other.bytes() {
            let here = places[usize::from(byte.to_ascii_lowercase() & 127)];
            let swapped = ((!diagonal & here) << 1) & before;
            diagonal = ((here & up).wrapping_add(up) ^ up) | here | down | swapped;
            let (right, left) = (down | !(diagonal | up), diagonal & up);
            distance = distance + usize::from(right & last != 0) - usize::from(left & last != 0);
            let (right, left) = (right << 1 | 1, left << 1);
            up = left | !(diagonal | right);
            down = right & diagonal;
            before = here;
        }
        distance
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_the_table_says(word in "[a-dé]{0,9}", other in "[a-dABé]{0,9}", more in "[ab]{0,80}") {
            for (word, other) in [(&word, &other), (&word, &more), (&more, &other)] {
                let expected = strsim::osa_distance(word, &other.to_lowercase());
                prop_assert_eq!(To::new(word).of(other), expected, "{} {}", word, other);
            }
        }
    }
}
