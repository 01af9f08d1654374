//! JSON files, tried before YAML as Ansible does.
//!
//! The grammar is Python's `json.loads`: strict about commas and control characters, lenient about `NaN` and
//! `Infinity`. `None` means "not JSON", and YAML has the word.

use std::path::Path;
use std::sync::Arc;

use super::scalar::{Plain, integer};
use super::{MAX_DEPTH, Node, NodeKind, Style};
use crate::Pos;

/// The document of a text that is JSON from its first to its last character.
pub(crate) fn parse(text: &[u8], file: &Arc<Path>) -> Option<Node> {
    let first = text.iter().find(|b| !is_space(**b))?;
    // Most YAML is told apart here, by its first character.
    if !matches!(first, b'{' | b'[' | b'"' | b'0'..=b'9' | b'-' | b'N' | b'I' | b't' | b'f' | b'n') {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    let mut parser = Parser { text, at: 0, line: 1, known: (0, 0), file, depth: 0 };
    parser.space();
    let node = parser.value()?;
    parser.space();
    (parser.at == text.len()).then_some(node)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    /// A place on the current line whose column is known: byte and characters before it.
    known: (usize, u32),
    file: &'a Arc<Path>,
    depth: usize,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn space(&mut self) {
        while let Some(byte) = self.peek().filter(|b| is_space(*b)) {
            self.at += 1;
            if byte == b'\n' {
                self.line += 1;
                self.known = (self.at, 0);
            }
        }
    }

    fn pos(&mut self) -> Pos {
        // Counted from the last place asked for: a file may be one line of megabytes.
        let (byte, column) = self.known;
        let more = u32::try_from(self.text[byte..self.at].chars().count()).unwrap_or(u32::MAX);
        self.known = (self.at, column.saturating_add(more));
        Pos { file: self.file.clone(), line: self.line, column: self.known.1.saturating_add(1) }
    }

    fn node(&self, value: NodeKind, style: Style, pos: Pos) -> Node {
        Node { value, style, trusted: true, pos }
    }

    fn value(&mut self) -> Option<Node> {
        let pos = self.pos();
        let rest = &self.text[self.at..];
        for (word, kind) in [
            ("null", NodeKind::Null),
            ("true", NodeKind::Bool(true)),
            ("false", NodeKind::Bool(false)),
            ("NaN", NodeKind::Float(f64::NAN)),
            ("Infinity", NodeKind::Float(f64::INFINITY)),
            ("-Infinity", NodeKind::Float(f64::NEG_INFINITY)),
        ] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Some(self.node(kind, Style::Plain, pos));
            }
        }
        match self.peek()? {
            b'"' => {
                let text = self.string()?;
                Some(self.node(NodeKind::Str(text.into()), Style::DoubleQuoted, pos))
            }
            b'[' => self.nested(Self::list).map(|kind| self.node(kind, Style::Flow, pos)),
            b'{' => self.nested(Self::object).map(|kind| special(self.node(kind, Style::Flow, pos))),
            _ => {
                let kind = self.number()?;
                Some(self.node(kind, Style::Plain, pos))
            }
        }
    }

    fn nested(&mut self, read: impl Fn(&mut Self) -> Option<NodeKind>) -> Option<NodeKind> {
        self.depth += 1;
        let kind = if self.depth > MAX_DEPTH { None } else { read(self) };
        self.depth -= 1;
        kind
    }

    fn list(&mut self) -> Option<NodeKind> {
        self.eat(b'[')?;
        let mut items = Vec::new();
        self.space();
        if self.eat(b']').is_some() {
            return Some(NodeKind::Seq(items));
        }
        loop {
            self.space();
            items.push(self.value()?);
            self.space();
            if self.eat(b',').is_none() {
                return self.eat(b']').map(|()| NodeKind::Seq(items));
            }
        }
    }

    fn object(&mut self) -> Option<NodeKind> {
        self.eat(b'{')?;
        let mut pairs: indexmap::IndexMap<Arc<str>, (Node, Node)> = indexmap::IndexMap::new();
        self.space();
        if self.eat(b'}').is_none() {
            loop {
                self.space();
                let pos = self.pos();
                let name: Arc<str> = self.string()?.into();
                let key = self.node(NodeKind::Str(name.clone()), Style::DoubleQuoted, pos);
                self.space();
                self.eat(b':')?;
                self.space();
                let value = self.value()?;
                pairs.insert(name, (key, value));
                self.space();
                if self.eat(b',').is_none() {
                    self.eat(b'}')?;
                    break;
                }
            }
        }
        Some(NodeKind::Map(pairs.into_values().collect()))
    }

    fn string(&mut self) -> Option<String> {
        self.eat(b'"')?;
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let stop = rest.find(|c: char| c == '"' || c == '\\' || c < ' ')?;
            text.push_str(&rest[..stop]);
            self.at += stop;
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(text);
                }
                b'\\' => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex4()?;
                if !(0xd800..0xdc00).contains(&high) {
                    return char::from_u32(high);
                }
                self.eat(b'\\')?;
                self.eat(b'u')?;
                let low = self.hex4()?;
                (0xdc00..0xe000).contains(&low).then_some(())?;
                return char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            }
            _ => return None,
        })
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits =
            self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Option<NodeKind> {
        let start = self.at;
        let negative = self.eat(b'-').is_some();
        if self.eat(b'0').is_none() && self.digits() == 0 {
            return None;
        }
        let whole_end = self.at;
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return None;
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return None;
            }
        }
        if self.at > whole_end {
            return self.text[start..self.at].parse().ok().map(NodeKind::Float);
        }
        Some(match integer(&self.text[start + usize::from(negative)..self.at], 10, negative) {
            Plain::Int(i) => NodeKind::Int(i),
            Plain::BigInt(digits) => NodeKind::BigInt(digits),
            _ => return None,
        })
    }
}

/// Ansible's own JSON writes encrypted and unsafe strings as objects of one special key.
fn special(mut node: Node) -> Node {
    let pos = node.pos.clone();
    let text = |name| node.get(name).and_then(Node::shared_str);
    if let Some(envelope) = text("__ansible_vault") {
        return Node { value: NodeKind::Vault(envelope), style: Style::DoubleQuoted, trusted: true, pos };
    }
    if let Some(text) = text("__ansible_unsafe") {
        return Node { value: NodeKind::Str(text), style: Style::DoubleQuoted, trusted: false, pos };
    }
    node.trusted = true;
    node
}
