//! Guards of the rules of `messaging`.
