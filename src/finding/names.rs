//! "Did you mean": the known name that a misspelt one most likely stands for.

use super::distance;
use super::{Edit, Finding};
use crate::source::Spanned;
use std::collections::HashMap;

/// Known names that are compared with misspelt ones, of one index. Comparing every name with every other is
/// quadratic where thousands are wrong: the first to be asked for are helped, the others are not.
const MOST_LOOKS: usize = 5_000_000;

/// Known names, made ready for many questions.
#[derive(Debug, Default)]
pub struct Names {
    known: Vec<Known<String>>,
    /// By what is left without capitals, `-`, `_` and blanks; `None` where several are the same.
    bare: HashMap<String, Option<usize>>,
    looks: usize,
}

impl Names {
    /// Indexes names, in the order that counts among equally near ones.
    pub fn new<'a>(known: impl IntoIterator<Item = &'a str>) -> Self {
        let names: Vec<_> = known.into_iter().map(|name| Known::new(name.to_owned())).collect();
        let mut by_bare: HashMap<String, Option<usize>> = HashMap::with_capacity(names.len());
        for (at, name) in names.iter().enumerate() {
            by_bare.entry(bare(&name.text).collect()).and_modify(|at| *at = None).or_insert(Some(at));
        }
        Self { known: names, bare: by_bare, looks: 0 }
    }

    /// The only name written like `word` but for capitals, `-`, `_` and blanks.
    fn same(&self, word: &str) -> Option<&str> {
        let at = (*self.bare.get(&bare(word).collect::<String>())?)?;
        self.known.get(at).map(|known| known.text.as_str())
    }
}

impl Finding {
    /// Says of a name that stands for nothing what it may mean, and mends it where that is beyond doubt.
    /// `otherwise` helps where no known name is near.
    #[must_use]
    pub fn guess(
        self,
        name: &Spanned<String>,
        known: &mut Names,
        otherwise: impl FnOnce() -> String,
    ) -> Self {
        if let Some(same) = known.same(name) {
            let edit = Edit::word(name.span, name, same);
            return self.help(format!("did you mean `{same}`?")).fix(edit);
        }
        if known.looks >= MOST_LOOKS {
            return self
                .help(otherwise())
                .note("no similar name was looked for: too many names before this one are unknown");
        }
        known.looks += known.known.len();
        match nearest_of(name, known.known.iter().map(|k| (k.text.as_str(), k.length, k.letters))) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self.help(otherwise()),
        }
    }
}

/// The only one of `known` that is written like `word` but for capitals, `-`, `_` and blanks: what was
/// meant, beyond doubt. `None` where none or several are.
pub fn same_word<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut same = known.into_iter().filter(|other| bare(other).eq(bare(word)));
    match (same.next(), same.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// Which of `known` a misspelt `word` most likely means: the nearest within a third of its length, the
/// first on a tie.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known = known.into_iter().map(Known::new);
    nearest_of(word, known.map(|k| (k.text, k.length, k.letters)))
}

/// A name with what tells cheaply that it is not near.
#[derive(Debug)]
struct Known<T> {
    text: T,
    /// In characters.
    length: usize,
    letters: u64,
}

impl<T: AsRef<str>> Known<T> {
    fn new(text: T) -> Self {
        let (length, letters) = (text.as_ref().chars().count(), letters(text.as_ref()));
        Self { text, length, letters }
    }
}

fn nearest_of<'a>(word: &str, known: impl Iterator<Item = (&'a str, usize, u64)>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let length = lower.chars().count();
    let limit = (length / 3).max(1);
    let mine = letters(word);
    let near = distance::To::new(&lower);
    let mut best: Option<(usize, &str)> = None;
    for (candidate, others, theirs) in known {
        // A word that is longer or shorter by more than the limit cannot be near.
        if others.abs_diff(length) > limit {
            continue;
        }
        let allowed = best.map_or(limit, |(distance, _)| distance.saturating_sub(1));
        // Nor one with more letters of its own than edits: each takes an edit at least. Comparing sets of
        // letters is cheap, and of most candidates it is enough.
        if (mine & !theirs).count_ones() as usize > allowed
            || (theirs & !mine).count_ones() as usize > allowed
        {
            continue;
        }
        let distance = near.of(candidate);
        if distance <= allowed && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
        if best.is_some_and(|(d, _)| d == 0) {
            break;
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// What two spellings of a word have in common.
fn bare(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase)
}

/// The set of characters of a text, small ones for capitals; several characters may share a place.
fn letters(text: &str) -> u64 {
    text.chars().flat_map(char::to_lowercase).fold(0, |set, c| set | 1 << (u32::from(c) % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::RuleInfo;
    use crate::source::{FileId, Span};

    static RULE: RuleInfo = RuleInfo::warning("a-rule", "", "");

    /// The help for a misspelt word, and what it becomes.
    fn guess(word: &str, names: &mut Names) -> (String, Option<String>) {
        let span = Span::new(FileId(0), 0, word.len() as u32);
        let name = Spanned::new(word.to_owned(), span);
        let finding = Finding::new(&RULE, span, "unknown").guess(&name, names, || "none".to_owned());
        (finding.help.concat() + &finding.notes.concat(), finding.fix.map(|edit| edit.text))
    }

    #[test]
    fn one_word_in_another_spelling_is_the_same() {
        for (word, known, expected) in [
            ("circuitBreaker", &["circuit_breaker", "retry"][..], Some("circuit_breaker")),
            ("per-try-timeout", &["per_try_timeout"], Some("per_try_timeout")),
            ("Cart", &["cart", "card"], Some("cart")),
            ("card", &["cart"], None),
            ("Cart", &["cart", "CART"], None),
        ] {
            assert_eq!(same_word(word, known.iter().copied()), expected, "{word}");
            assert_eq!(guess(word, &mut Names::new(known.iter().copied())).1.as_deref(), expected, "{word}");
        }
    }

    #[test]
    fn another_spelling_is_meant_before_a_nearer_word() {
        let mut names = Names::new(["order_item_b", "order-item-a"]);
        let meant = ("did you mean `order-item-a`?".to_owned(), Some("order-item-a".to_owned()));
        assert_eq!(guess("order_item_a", &mut names), meant);
        assert_eq!(guess("order_item_c", &mut names), ("did you mean `order_item_b`?".to_owned(), None));
    }

    #[test]
    fn questions_without_end_are_bounded() {
        let all: Vec<String> = (0..MOST_LOOKS / 1000).map(|i| format!("name-{i}")).collect();
        let mut names = Names::new(all.iter().map(String::as_str));
        for i in 0..1000 {
            assert_eq!(guess("nane-17", &mut names).0, "did you mean `name-17`?", "{i}");
        }
        let tired = "noneno similar name was looked for: too many names before this one are unknown";
        assert_eq!(guess("nane-17", &mut names), (tired.to_owned(), None));
        // Another spelling costs nothing to find.
        assert_eq!(guess("name_17", &mut names).1.as_deref(), Some("name-17"));
    }
}
