//! Guards of the rules of `ownership`.
