//! Quantities with their units: durations, rates, shares, sizes. Exact: what was written is what counts,
//! and a number without its unit is an error that says which unit was meant.

mod decimal;
mod duration;
mod quantity;

pub use decimal::Decimal;
pub use duration::Duration;
pub use quantity::{Rate, Share, Size};
