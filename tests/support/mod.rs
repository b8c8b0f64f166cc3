//! What several tests share: random numbers, YAML in every style with places kept, random systems, and the
//! way a system is judged.

#![allow(dead_code, reason = "each test uses its part")]

pub mod fleet;
pub mod judge;
pub mod rng;
pub mod shapes;
pub mod system;
pub mod yaml;
