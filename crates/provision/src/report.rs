//! Reporters: they turn a run's events into what a person or a program reads.

mod banner;
pub mod default;
mod diff;
mod dump;
pub mod json;
pub mod live;
pub mod log;
pub mod minimal;
mod profile;
mod style;
mod yaml;

pub use banner::Columns;
pub use dump::json as json_text;
pub use lang::excerpt::describe;
pub use style::{Colour, Style};
pub use yaml::yaml;
