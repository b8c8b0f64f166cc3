//! The formats that can be imported, one module each. Adding one is: write the module, add its `mod`
//! line, add its line to [`FORMATS`].

pub mod asyncapi;
pub mod backstage;
pub mod compose;
pub mod isotope;
pub mod kubernetes;

use super::Format;

/// All formats, in the order in which a file is offered to them.
pub static FORMATS: &[&Format] =
    &[&backstage::FORMAT, &compose::FORMAT, &kubernetes::FORMAT, &isotope::FORMAT, &asyncapi::FORMAT];
