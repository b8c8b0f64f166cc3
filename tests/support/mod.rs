//! What several tests share: random numbers, YAML in every style with places kept, random systems, and the
//! way a system is judged.

#![allow(dead_code, reason = "each test uses its part")]

pub mod judge;
pub mod rng;
pub mod system;
pub mod yaml;
