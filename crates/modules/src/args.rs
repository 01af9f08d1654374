//! Arguments of modules: one definition from which checking, coercion, aliases, defaults and documentation come.
//!
//! ```ignore
//! args! {
//!     pub struct LineArgs {
//!         /// The file to modify.
//!         path: String = kind("path"), required(), aliases(&["dest", "destfile", "name"]);
//!         /// Whether the line should be there.
//!         state: String = choices(&["absent", "present"]), default("present");
//!         /// Make a backup.
//!         backup: bool = default("no");
//!         /// Lines to add.
//!         lines: Vec<String>;
//!         /// Mode.
//!         mode: Option<String>;
//!     }
//!     with { attrs: FileAttrs }          // groups of arguments that several modules share
//!     checks { mutually_exclusive(&["insertbefore", "insertafter"]) }
//! }
//! ```
//!
//! Values are coerced as Ansible coerces them (`yes` is a boolean, `"3"` an integer, `a,b` a list), because
//! templates and `key=value` arguments give strings for everything.

mod kinds;
mod spec;

pub use kinds::{
    ArgType, Choice, Expanded, Raw, expand_with, parse_bool, python_repr, python_text, type_name,
};
pub use spec::{ArgSpec, Check, Spec, normalize};

use std::fmt;

use protocol::Map;

use crate::ModuleError;

/// Typed arguments; implemented by [`crate::args!`].
pub trait Args: Sized {
    /// The definition.
    fn spec() -> &'static Spec;

    /// Build them from arguments that [`normalize`] has checked.
    fn from_normalized(map: &mut Map) -> Result<Self, ArgError>;

    /// Check, coerce, build.
    fn parse(map: &Map) -> Result<Self, ArgError> {
        Self::from_normalized(&mut normalize(Self::spec(), map)?)
    }
}

/// A set of arguments that several modules share; implemented by [`crate::args!`] as well.
pub trait ArgGroup: Sized {
    fn specs() -> Vec<ArgSpec>;
    fn take(map: &mut Map) -> Result<Self, ArgError>;
}

/// What is wrong with arguments, in Ansible's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgError {
    /// `missing required arguments: path`
    pub msg: String,
    /// The argument it is about, as the user spelled it, when it is about one.
    pub argument: Option<String>,
    /// Arguments that exist, when the user's does not.
    pub known: Vec<String>,
}

impl ArgError {
    pub fn new(msg: impl Into<String>) -> Self {
        Self { msg: msg.into(), argument: None, known: Vec::new() }
    }

    pub fn about(mut self, argument: &str) -> Self {
        self.argument = Some(argument.to_owned());
        self
    }
}

impl fmt::Display for ArgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.msg)
    }
}

impl From<ArgError> for ModuleError {
    fn from(error: ArgError) -> Self {
        ModuleError::new(error.msg)
    }
}

/// Take one checked argument out of the map. Used by the macro.
pub fn take<T: ArgType>(map: &mut Map, name: &str) -> Result<T, ArgError> {
    let value = map.remove(name);
    let value = match value {
        None | Some(serde_json::Value::Null) => return T::missing().ok_or_else(|| missing(name)),
        Some(value) => value,
    };
    let kind = kinds::type_name(&value);
    T::coerce(value).map_err(|e| kinds::conversion_error(name, kind, T::KIND, &e))
}

fn missing(name: &str) -> ArgError {
    ArgError::new(format!("missing required arguments: {name}")).about(name)
}

/// Define the arguments of a module. See the documentation of [`crate::args`].
#[macro_export]
macro_rules! args {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $( $(#[doc = $doc:literal])* $field:ident : $ty:ty $( = $( $key:ident ( $($val:expr)? ) ),+ )? ; )*
        }
        $( with { $( $group:ident : $group_ty:ty ),* $(,)? } )?
        $( checks { $( $check:ident ( $($check_arg:expr),* ) ),* $(,)? } )?
    ) => {
        $(#[$meta])*
        // An argument may be there only to be accepted.
        #[allow(dead_code)]
        #[derive(Clone, Debug)]
        $vis struct $name {
            $( $(#[doc = $doc])* pub $field : $ty, )*
            $( $( pub $group : $group_ty, )* )?
        }

        impl $crate::Args for $name {
            fn spec() -> &'static $crate::Spec {
                static SPEC: std::sync::OnceLock<$crate::Spec> = std::sync::OnceLock::new();
                SPEC.get_or_init(|| {
                    #[allow(unused_mut)]
                    let mut args = <$name as $crate::args::ArgGroup>::specs();
                    let checks = vec![ $( $( $crate::args::Check::$check( $($check_arg),* ) ),* )? ];
                    $crate::Spec::new(args, checks)
                })
            }

            fn from_normalized(map: &mut $crate::Map) -> Result<Self, $crate::ArgError> {
                <$name as $crate::args::ArgGroup>::take(map)
            }
        }

        impl $crate::args::ArgGroup for $name {
            fn specs() -> Vec<$crate::ArgSpec> {
                #[allow(unused_mut)]
                let mut args = vec![ $(
                    $crate::ArgSpec::new(
                        stringify!($field).trim_start_matches("r#"),
                        concat!($($doc, "\n"),*),
                        <$ty as $crate::ArgType>::KIND,
                        <$ty as $crate::ArgType>::coerce_json,
                    ) $( $( .$key( $($val)? ) )+ )?
                ),* ];
                $( $( args.extend(<$group_ty as $crate::args::ArgGroup>::specs()); )* )?
                args
            }

            // A module may have no arguments.
            #[allow(unused_variables)]
            fn take(map: &mut $crate::Map) -> Result<Self, $crate::ArgError> {
                Ok(Self {
                    $( $field: $crate::args::take(map, stringify!($field).trim_start_matches("r#"))?, )*
                    $( $( $group: <$group_ty as $crate::args::ArgGroup>::take(map)?, )* )?
                })
            }
        }
    };
}
