//! What a value says, key by key, as texts: for comparing two of them.

use super::Decode;
use std::fmt::Display;

/// Keys (`retry.num_retries`) with what is said under them, as a document would write it.
#[derive(Debug, Default)]
pub struct Facts {
    path: Vec<String>,
    all: Vec<(String, String)>,
}

impl Facts {
    /// Tells what stands under a key.
    pub fn under(&mut self, key: &str, tell: impl FnOnce(&mut Self)) {
        self.path.push(key.to_owned());
        tell(self);
        self.path.pop();
    }

    /// Says one value.
    pub fn say(&mut self, value: &impl Display) {
        self.all.push((self.path.join("."), value.to_string()));
    }

    /// Says a list: one text where its items are single values, in whose order there is no meaning; else
    /// each item under its number.
    pub fn list<'v, T: Decode + 'v>(&mut self, items: impl Iterator<Item = &'v T>) {
        let told: Vec<_> = items.map(facts).collect();
        if told.iter().all(|item| matches!(item.as_slice(), [(key, _)] if key.is_empty())) {
            let mut words: Vec<_> = told.into_iter().flatten().map(|(_, word)| word).collect();
            words.sort();
            return self.say(&words.join(", "));
        }
        for (i, item) in told.into_iter().enumerate() {
            for (key, value) in item {
                let place: Vec<_> = self.path.iter().cloned().chain([i.to_string(), key]).collect();
                self.all.push((place.join("."), value));
            }
        }
    }
}

/// What a value says, in the order of its keys. What is not said is left out.
pub fn facts<T: Decode>(value: &T) -> Vec<(String, String)> {
    let mut facts = Facts::default();
    value.tell(&mut facts);
    facts.all
}
