//! What a template writes: one native value, or text as soon as there is more.

use crate::template::eval::finalize;
use crate::template::object::{Fail, R, V};

/// Ansible's native concatenation: nothing gives `None`, a single node is the result as it is, several
/// are joined as text.
#[derive(Default)]
pub(crate) enum Output {
    #[default]
    Empty,
    One(V),
    Text(String),
}

impl Output {
    pub fn push(&mut self, value: V) -> R<()> {
        // What is written is the value of this moment, whatever happens to the container later.
        let value = match value {
            V::List(items) => V::List(items.snapshot()),
            V::Dict(map) => V::Dict(map.snapshot()),
            other => other,
        };
        match std::mem::take(self) {
            Self::Empty => *self = Self::One(value),
            // `None` beside anything else is nothing at all.
            Self::One(V::None) => *self = Self::One(value),
            other if matches!(value, V::None) => *self = other,
            Self::One(first) => {
                let mut text = String::new();
                append(&mut text, &first)?;
                append(&mut text, &value)?;
                *self = Self::Text(text);
            }
            Self::Text(mut text) => {
                append(&mut text, &value)?;
                *self = Self::Text(text);
            }
        }
        Ok(())
    }

    pub fn finish(self) -> V {
        match self {
            Self::Empty => V::None,
            Self::One(value) => value,
            Self::Text(text) => V::str(text),
        }
    }
}

/// A value between other text: `None` and `omit` are nothing, tuples are lists.
fn append(text: &mut String, value: &V) -> R<()> {
    match value.force()? {
        V::Undef(undef) => return Err(Fail::Undefined(undef)),
        V::None | V::Omit | V::Blank => {}
        V::Str(s) => text.push_str(s.as_str()),
        other => text.push_str(&finalize::show(&other)?),
    }
    Ok(())
}
