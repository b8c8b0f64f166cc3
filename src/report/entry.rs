//! A finding as reports show it: places as files, lines and columns, identity as text.
//!
//! Owns the shape of a finding in the published JSON, which is written and read with these types. Must not
//! know how it is laid out for people.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::finding::{Finding, Label, RuleInfo, Severity};
use crate::source::{Sources, Span};

/// One finding.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry<'a> {
    /// Id of its rule.
    pub rule: Cow<'a, str>,
    /// How bad.
    #[serde(with = "severity")]
    pub severity: Severity,
    /// The headline.
    pub message: Cow<'a, str>,
    /// What to do.
    #[serde(with = "lines")]
    pub help: Cow<'a, [String]>,
    /// Its identity.
    pub fingerprint: Cow<'a, str>,
    /// A comment suppresses it.
    pub suppressed: bool,
    /// Why, as the comment says; may be empty.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub justification: Cow<'a, str>,
    /// The baseline forgives it.
    pub baselined: bool,
    /// Where it is, the primary place first; empty for a finding about no file.
    pub locations: Vec<Place<'a>>,
    /// The path that proves it.
    pub path: Vec<Step<'a>>,
    /// The figures behind it.
    #[serde(with = "numbers")]
    pub numbers: Vec<(Cow<'a, str>, f64)>,
    /// What else is to be known.
    #[serde(default)]
    pub notes: Cow<'a, [String]>,
    /// Ids of what it is about.
    #[serde(default)]
    pub subjects: Cow<'a, [String]>,
    /// Who owns what it is about, sorted.
    #[serde(default)]
    pub owners: Cow<'a, [String]>,
    /// The edit that mends it, where only one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Change<'a>>,
    /// Ranges that no report may show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Range<'a>>,
    /// The system it was found in.
    #[serde(default)]
    pub system: Cow<'a, str>,
    /// Its rule, where this version knows it.
    #[serde(skip)]
    pub info: Option<&'static RuleInfo>,
}

/// A range of a file: lines and columns from 1, columns in Unicode scalar values, the end exclusive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Range<'a> {
    /// The file.
    pub file: Cow<'a, str>,
    /// First line.
    pub line: usize,
    /// First column.
    pub column: usize,
    /// Line of the end.
    pub end_line: usize,
    /// Column of the end.
    pub end_column: usize,
    /// Its bytes, where the text is at hand.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// A range with what is to be seen there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Place<'a> {
    /// Where.
    #[serde(flatten)]
    pub range: Range<'a>,
    /// A few words; may be empty.
    pub label: Cow<'a, str>,
    /// Whether it is the one the finding is about.
    pub primary: bool,
}

/// A step of the proving path.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Step<'a> {
    /// Id of where it starts.
    pub from: Cow<'a, str>,
    /// Id of where it ends.
    pub to: Cow<'a, str>,
    /// What it adds; may be empty.
    pub value: Cow<'a, str>,
    /// Where it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Range<'a>>,
}

/// Another text in place of a range.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Change<'a> {
    /// What goes.
    #[serde(flatten)]
    pub range: Range<'a>,
    /// What comes; empty where something is only taken out.
    pub text: Cow<'a, str>,
}

impl<'a> Entry<'a> {
    /// A finding whose spans lie in `sources`.
    pub fn new(sources: &'a Sources, finding: &'a Finding) -> Self {
        let place = |label: &'a Label, primary| {
            let range = Range::new(sources, label.span)?;
            Some(Place { range, label: Cow::Borrowed(&label.text), primary })
        };
        let others = finding.secondary.iter().map(|label| place(label, false));
        let steps = finding.path.iter().map(|hop| Step {
            from: Cow::Borrowed(&hop.from),
            to: Cow::Borrowed(&hop.to),
            value: Cow::Borrowed(&hop.value),
            location: hop.span.and_then(|span| Range::new(sources, span)),
        });
        Self {
            rule: Cow::Borrowed(finding.rule.id),
            severity: finding.severity,
            message: Cow::Borrowed(&finding.message),
            help: Cow::Borrowed(&finding.help),
            fingerprint: Cow::Owned(finding.fingerprint()),
            suppressed: finding.suppressed,
            justification: Cow::Borrowed(&finding.justification),
            baselined: finding.baselined,
            locations: std::iter::once(place(&finding.primary, true)).chain(others).flatten().collect(),
            path: steps.collect(),
            numbers: finding.numbers.iter().map(|(name, value)| (Cow::Borrowed(*name), *value)).collect(),
            notes: Cow::Borrowed(&finding.notes),
            subjects: Cow::Borrowed(&finding.subjects),
            owners: Cow::Borrowed(&finding.owners),
            fix: finding.fix.as_ref().and_then(|edit| {
                Some(Change { range: Range::new(sources, edit.span)?, text: Cow::Borrowed(&edit.text) })
            }),
            secrets: finding.secrets.iter().filter_map(|span| Range::new(sources, *span)).collect(),
            system: Cow::Borrowed(""),
            info: Some(finding.rule),
        }
    }

    /// Whether nothing forgives it: it is to be mended.
    pub const fn counts(&self) -> bool {
        !self.suppressed && !self.baselined
    }

    /// Where it is; `None` for a finding about no file.
    pub fn place(&self) -> Option<&Range<'a>> {
        self.locations.first().map(|place| &place.range)
    }
}

impl<'a> Range<'a> {
    /// The range of a span; `None` for one in no file, whose id `sources` never gave out.
    fn new(sources: &'a Sources, span: Span) -> Option<Self> {
        if (span.file.0 as usize) >= sources.files().len() {
            return None;
        }
        let at = sources.locate(span);
        Some(Self {
            file: Cow::Borrowed(&sources.file(span.file).name),
            line: at.line,
            column: at.column,
            end_line: at.end_line,
            end_column: at.end_column,
            span: Some(span),
        })
    }
}

/// `error`, `warning`, `info`.
mod severity {
    use super::{Deserialize, Deserializer, Severity, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
    pub fn serialize<S: super::Serializer>(severity: &Severity, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(severity.name())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Severity, D::Error> {
        let name = String::deserialize(from)?;
        let known = Severity::ALL.into_iter().find(|s| s.name() == name);
        known.ok_or_else(|| de::Error::custom(format!("no severity is called `{name}`")))
    }
}

/// One text, a piece of advice per line.
mod lines {
    use super::{Cow, Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(lines: &[String], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&lines.join("\n"))
    }

    pub fn deserialize<'de, 'a, D: Deserializer<'de>>(from: D) -> Result<Cow<'a, [String]>, D::Error> {
        let text = String::deserialize(from)?;
        let lines = if text.is_empty() { Vec::new() } else { text.split('\n').map(str::to_owned).collect() };
        Ok(Cow::Owned(lines))
    }
}

/// A map in the order of the figures. JSON has no word for infinity or for no number: such are left out.
mod numbers {
    use super::{Cow, Deserializer, MapAccess, Serializer, Visitor, fmt};

    type Numbers<'a> = Vec<(Cow<'a, str>, f64)>;

    pub fn serialize<S: Serializer>(numbers: &Numbers<'_>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(numbers.iter().filter(|(_, v)| v.is_finite()).map(|(name, value)| (name, value)))
    }

    pub fn deserialize<'de, 'a, D: Deserializer<'de>>(from: D) -> Result<Numbers<'a>, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Vec<(String, f64)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of numbers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    all.push(pair);
                }
                Ok(all)
            }
        }
        Ok(from.deserialize_map(Map)?.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect())
    }
}
