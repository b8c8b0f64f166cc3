//! `loadpath` reads a description of a microservice architecture and tells, before anything is deployed,
//! what is wrong with it (`check`), what it looks like (`graph`), and what happens to it under load and
//! failure (`simulate`).
//!
//! # The way through
//!
//! ```text
//! YAML -> spec (what was written) -> model (what it means, a petgraph) -> analysis (arithmetic on it)
//!      -> lint (findings) / diagram (pictures) / sim (forecasts) -> report (formats) -> cli (files, terminal)
//! ```
//!
//! Each module imports only modules above it in this list; a test holds that and names the file that breaks
//! it (`tests/tidy`).
//!
//! | module | what it owns |
//! |---|---|
//! | [`kernel`] | simulated time, random streams, distributions: the same numbers on every machine |
//! | [`policy`] | balancers, breakers, retries, limits, discovery, messaging as pure state machines, usable on their own |
//! | [`source`] | texts, byte spans, lines; how files are asked for |
//! | [`finding`] | what a finding is, its order and identity, the comments that suppress it |
//! | [`spec`] | what a user may write, with its spans and its JSON Schema |
//! | [`import`] | other formats as documents, with the evidence for every edge |
//! | [`model`] | the architecture: names resolved, defaults layered, queries in the words of the domain |
//! | [`export`] | the architecture as files of other systems, with what those cannot say |
//! | [`analysis`] | cycles, durations, amplification, each with the path that proves it |
//! | [`lint`] | rules, levels, thresholds; the one list that joins all rules |
//! | [`change`] | what differs in meaning between two versions |
//! | [`sim`] | a plan of dense arrays, the event loop, probes, outcomes with confidence intervals |
//! | [`study`] | many simulations: what theory says beside them, comparisons, sweeps, capacity, the self-test |
//! | [`diagram`] | one picture, drawn by each renderer |
//! | [`report`] | the texts of findings and forecasts |
//! | [`cli`] | arguments, files, terminal, exit codes: the only place with input and output |
//!
//! # Where a new thing goes
//!
//! Rules, balancers, breakers, importers, renderers and reporters have one shape: *a descriptor, a line in a
//! static slice, one file and one page*. A new rule is a file and a page in its family's folder below
//! `src/lint/rules` and its line in that family's slice; the command line, `explain`, the tests and the
//! documentation read the slices.
//!
//! # Invariants
//!
//! - **A user's mistake is data, not an error:** every one becomes a [`finding::Finding`] that points at bytes,
//!   and none hides another.
//! - **What was not said stays unsaid:** the model keeps `None`; built-in defaults ([`model::builtin`]) are
//!   taken where they are needed and named in the result.
//! - **Same input, same bytes out:** no clock, environment or hash order reaches a result; simulations do not
//!   depend on the number of threads.
//!
//! # Five lines
//!
//! ```
//! use loadpath::{finding::Date, lint, model, spec};
//! let text = "services: { web: { dependencies: [cart] } }";
//! let (documents, sources, findings) = spec::read_text("shop.yaml", text);
//! let (architecture, unresolved) = model::build(&documents);
//! let said = findings.into_iter().chain(unresolved).collect();
//! let occasion = lint::Occasion { today: Date::from_unix_days(20_000), complete: true };
//! let judged = lint::judge(&architecture, &sources, said, occasion);
//! assert_eq!(judged.findings[0].message, "no service is called `cart`");
//! ```

pub mod analysis;
pub mod change;
pub mod cli;
pub mod diagram;
pub mod export;
pub mod finding;
pub mod import;
pub mod kernel;
pub mod lint;
pub mod model;
pub mod policy;
pub mod report;
pub mod sim;
pub mod source;
pub mod spec;
pub mod study;
