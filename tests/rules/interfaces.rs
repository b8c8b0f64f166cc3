//! Guards of the rules of `interfaces`.
