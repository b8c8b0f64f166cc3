//! `loadpath` reads a description of a microservice architecture and tells, before anything is
//! deployed, what is wrong with it, what it looks like, and what happens to it under load.

pub mod analysis;
pub mod cli;
pub mod diagram;
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
