//! More of what the products' own tests say, beside the 40 vectors of the file: the figures stand here, each
//! with the file and the name of the test it is taken from.

mod balancers;
mod limits;
mod outliers;
mod queues;
mod retries;

use loadpath::kernel::{Span, Time};

const fn ms(millis: u64) -> Span {
    Span::from_millis(millis)
}

fn at(millis: u64) -> Time {
    Time::ZERO + ms(millis)
}
