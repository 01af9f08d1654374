use crate::keywords::Keyword;
use crate::{Pos, Value};

/// The keywords written on one play, role, block or task, as written: values may be templates.
///
/// Only what is written is in it; what is inherited is found along the [`Frame`](super::Frame)s.
#[derive(Clone, Debug, Default)]
pub struct Attrs(Vec<Attr>);

#[derive(Clone, Debug)]
struct Attr {
    keyword: Keyword,
    value: Value,
    pos: Pos,
}

impl Attrs {
    /// The value as written here.
    pub fn get(&self, keyword: Keyword) -> Option<&Value> {
        self.0.iter().find(|a| a.keyword == keyword).map(|a| &a.value)
    }

    /// Where the value of the keyword was written.
    pub fn pos(&self, keyword: Keyword) -> Option<&Pos> {
        self.0.iter().find(|a| a.keyword == keyword).map(|a| &a.pos)
    }

    /// Write a keyword, over what is there.
    pub fn set(&mut self, keyword: Keyword, value: Value, pos: Pos) {
        match self.0.iter_mut().find(|a| a.keyword == keyword) {
            Some(attr) => (attr.value, attr.pos) = (value, pos),
            None => self.0.push(Attr { keyword, value, pos }),
        }
    }

    /// Take a keyword away.
    pub fn remove(&mut self, keyword: Keyword) -> Option<Value> {
        let at = self.0.iter().position(|a| a.keyword == keyword)?;
        Some(self.0.remove(at).value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Keyword, &Value, &Pos)> {
        self.0.iter().map(|a| (a.keyword, &a.value, &a.pos))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
