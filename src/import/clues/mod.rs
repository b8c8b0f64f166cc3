//! What texts give away, whatever the format they stand in: addresses in values, arguments and
//! configuration files, names that hold addresses, images that are databases or brokers.
//!
//! Must not know any format, nor which hosts are services.

pub mod address;
pub mod config;
pub mod keys;
pub mod roles;
