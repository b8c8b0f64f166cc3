//! Guards of the rules of `capacity`.
