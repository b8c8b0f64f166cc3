//! Guards of the rules of `data`.
