//! Comments that suppress findings. (under construction)

/// One directive.
#[derive(Debug, Clone)]
pub struct Suppression;

/// All directives of a run.
#[derive(Debug, Clone, Default)]
pub struct Suppressions;
