//! Guards of the rules of `security`.
