//! Guards of the rules of `contracts`.
