//! What a template writes: one native value, or text as soon as there is more.

use crate::Str;
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
        match std::mem::take(self) {
            Self::Empty => *self = Self::One(value),
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

    /// As text, whatever it is.
    pub fn into_text(self) -> R<Str> {
        match self {
            Self::Empty => Ok(Str::plain("")),
            Self::One(value) => {
                let mut text = String::new();
                append(&mut text, &value)?;
                Ok(Str::plain(text))
            }
            Self::Text(text) => Ok(Str::plain(text)),
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
