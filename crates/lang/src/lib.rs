//! The language: from the text of playbooks, inventories and variable files to typed trees, and from templates
//! to values.
//!
//! Everything here is pure: no network, no printing. What is read keeps its position ([`Pos`]), so that an
//! error can show the line it is about. Values ([`Value`]) know whether their strings may be rendered as
//! templates: text from a playbook or inventory may, text from a host never.

pub mod argument_spec;
pub mod error;
pub mod excerpt;
pub mod inventory;
pub mod keywords;
pub mod listing;
pub mod patterns;
pub mod playbook;
pub mod pos;
pub mod role;
pub mod template;
pub mod value;
pub mod vars;
pub mod vault;
pub mod yaml;

/// The version of ansible-core whose language this is.
pub const ANSIBLE_VERSION: &str = "2.19.14";

pub use error::{Error, Result};
pub use pos::Pos;
pub use value::{Key, Map, Str, Value};
