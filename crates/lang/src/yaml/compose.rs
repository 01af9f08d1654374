//! From events to nodes: tags, plain scalars, anchors, merges and keys that are there twice.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::libyaml::{Event, Mark, ParseError, Parser, ScalarStyle};
use super::scalar::{self, Plain};
use super::{Document, MAX_DEPTH, MAX_EXPANDED, Node, NodeKind, Style, hint};
use crate::error::ErrorKind;
use crate::{Error, Key, Pos, Result};

const STANDARD: &str = "tag:yaml.org,2002:";

/// The documents of a text; more than `limit` is an error. `trusted` text may contain templates.
pub(crate) fn documents(
    text: &[u8],
    file: &Arc<Path>,
    trusted: bool,
    limit: Option<usize>,
) -> Result<Vec<Document>> {
    let utf16 = text.starts_with(&[0xff, 0xfe]) || text.starts_with(&[0xfe, 0xff]);
    if !utf16 && let Err(error) = std::str::from_utf8(text) {
        return Err(not_utf8(text, file, error.valid_up_to()));
    }
    let parser = Parser::new(text).ok_or_else(|| Error::new("YAML parsing failed: out of memory"))?;
    let mut composer = Composer {
        parser,
        text,
        file: file.clone(),
        trusted,
        anchors: HashMap::new(),
        open: HashSet::new(),
        stack: Vec::new(),
        root: None,
        deferred: None,
        warnings: Vec::new(),
        nodes: 0,
        expanded: 0,
    };
    composer.run(limit)
}

struct Composer<'a> {
    parser: Parser<'a>,
    text: &'a [u8],
    file: Arc<Path>,
    trusted: bool,
    /// Finished nodes by anchor, each with how many nodes it has.
    anchors: HashMap<Box<str>, (Node, usize)>,
    /// Anchors of nodes that are not finished: an alias to one would contain itself.
    open: HashSet<Box<str>>,
    /// Sequences and mappings that are not finished. Kept here rather than on the call stack, so that nesting
    /// costs no stack.
    stack: Vec<Frame>,
    root: Option<Node>,
    /// An error of the document's meaning, for when its syntax turns out to be right.
    deferred: Option<Error>,
    warnings: Vec<Error>,
    nodes: usize,
    expanded: usize,
}

struct Frame {
    kind: FrameKind,
    mark: Mark,
    anchor: Option<Box<str>>,
    tag: Tag,
    flow: bool,
    trusted: bool,
    nodes_before: usize,
}

enum FrameKind {
    Seq(Vec<Node>),
    Map {
        pairs: Vec<(Node, Node)>,
        /// What `<<` brought, which goes before the rest.
        merged: Vec<(Node, Node)>,
        key: Option<MapKey>,
    },
}

enum MapKey {
    Node(Node),
    Merge,
}

/// What a tag makes of a collection.
#[derive(Clone, Copy, PartialEq)]
enum Tag {
    None,
    Set,
    /// `!!omap`, `!!pairs`: a list of pairs.
    Pairs,
}

impl Composer<'_> {
    fn run(&mut self, limit: Option<usize>) -> Result<Vec<Document>> {
        let mut documents = Vec::new();
        loop {
            let (event, mark) = self.parser.next().map_err(|error| self.syntax(&error))?;
            match event {
                Event::StreamEnd => return Ok(documents),
                Event::StreamStart => {}
                Event::DocumentStart => {
                    if limit.is_some_and(|limit| documents.len() >= limit) {
                        return Err(self.error(
                            mark,
                            "Expected a single document in the stream but found another document",
                        ));
                    }
                    self.anchors.clear();
                    self.open.clear();
                    self.expanded = 0;
                }
                Event::DocumentEnd => {
                    if let Some(error) = self.deferred.take() {
                        return Err(error);
                    }
                    let root = self.root.take().unwrap_or_else(|| super::null(&self.file));
                    documents.push(Document { root, warnings: std::mem::take(&mut self.warnings) });
                }
                Event::Alias(name) => self.alias(&name, mark)?,
                Event::Scalar { anchor, tag, text, style } => self.scalar(anchor, tag, text, style, mark)?,
                Event::SequenceStart { anchor, tag, flow } => {
                    self.open(FrameKind::Seq(Vec::new()), anchor, tag, flow, mark)?;
                }
                Event::MappingStart { anchor, tag, flow } => {
                    let kind = FrameKind::Map { pairs: Vec::new(), merged: Vec::new(), key: None };
                    self.open(kind, anchor, tag, flow, mark)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close()?,
            }
        }
    }

    fn pos(&self, mark: Mark) -> Pos {
        Pos { file: self.file.clone(), line: mark.line + 1, column: mark.column + 1 }
    }

    fn error(&self, mark: Mark, message: impl AsRef<str>) -> Error {
        failed(message.as_ref()).at(Some(&self.pos(mark)))
    }

    /// May strings at this place be templates?
    fn trust(&self) -> bool {
        self.stack.last().map_or(self.trusted, |frame| frame.trusted)
    }

    /// Is the next node a key?
    fn at_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { kind: FrameKind::Map { key: None, .. }, .. }))
    }

    fn open(
        &mut self,
        kind: FrameKind,
        anchor: Option<Box<str>>,
        tag: Option<Box<str>>,
        flow: bool,
        mark: Mark,
    ) -> Result<()> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(
                self.error(mark, format!("Lists and dictionaries nest more than {MAX_DEPTH} levels deep"))
            );
        }
        let is_seq = matches!(kind, FrameKind::Seq(_));
        let found = if is_seq { "sequence" } else { "mapping" };
        let mut trusted = self.trust();
        let mut meaning = Tag::None;
        match tag.as_deref() {
            None | Some("!") => {}
            Some("!unsafe") => trusted = false,
            Some("!vault" | "!vault-encrypted") => return Err(self.error(mark, vault_needs_text(&tag))),
            Some(tag) => match (tag.strip_prefix(STANDARD).unwrap_or(tag), is_seq) {
                ("seq", true) | ("map", false) => {}
                ("set", false) => meaning = Tag::Set,
                ("omap" | "pairs", true) => meaning = Tag::Pairs,
                ("seq" | "omap" | "pairs", false) => {
                    return Err(self.error(mark, format!("Expected a sequence node, but found {found}")));
                }
                ("map" | "set", true) => {
                    return Err(self.error(mark, format!("Expected a mapping node, but found {found}")));
                }
                ("str" | "int" | "float" | "bool" | "null" | "binary" | "timestamp", _) => {
                    return Err(self.error(mark, format!("Expected a scalar node, but found {found}")));
                }
                _ => return Err(self.error(mark, unknown_tag(tag))),
            },
        }
        if let Some(anchor) = &anchor {
            self.open.insert(anchor.clone());
        }
        let nodes_before = self.nodes;
        self.stack.push(Frame { kind, mark, anchor, tag: meaning, flow, trusted, nodes_before });
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let Frame { kind, mark, anchor, tag, flow, trusted, nodes_before } = frame;
        let value = match kind {
            FrameKind::Seq(items) if tag == Tag::Pairs => self.pairs(items)?,
            FrameKind::Seq(items) => NodeKind::Seq(items),
            FrameKind::Map { pairs, mut merged, .. } => {
                let pairs = if merged.is_empty() {
                    pairs
                } else {
                    merged.extend(pairs);
                    merged
                };
                let pairs = self.without_duplicates(pairs);
                if tag == Tag::Set {
                    NodeKind::Seq(pairs.into_iter().map(|(key, _)| key).collect())
                } else {
                    NodeKind::Map(pairs)
                }
            }
        };
        let style = if flow { Style::Flow } else { Style::Block };
        let node = Node { value, style, trusted, pos: self.pos(mark) };
        self.nodes += 1;
        if let Some(anchor) = anchor {
            self.open.remove(&anchor);
            self.anchors.insert(anchor, (node.clone(), self.nodes - nodes_before));
        }
        self.attach(node)
    }

    /// `!!omap [a: 1, b: 2]` is the list of pairs `[[a, 1], [b, 2]]`.
    fn pairs(&self, items: Vec<Node>) -> Result<NodeKind> {
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            let pos = item.pos.clone();
            match item.value {
                NodeKind::Map(mut pairs) if pairs.len() == 1 => {
                    if let Some((key, value)) = pairs.pop() {
                        let value = NodeKind::Seq(vec![key, value]);
                        list.push(Node { value, style: Style::Flow, trusted: item.trusted, pos });
                    }
                }
                _ => return Err(failed("Expected a mapping of length 1").at(Some(&pos))),
            }
        }
        Ok(NodeKind::Seq(list))
    }

    fn alias(&mut self, name: &str, mark: Mark) -> Result<()> {
        if self.open.contains(name) {
            return Err(self.error(mark, format!("The alias '{name}' is inside of what it stands for")));
        }
        let Some((_, size)) = self.anchors.get(name) else {
            return Err(self.error(mark, "Found undefined alias"));
        };
        self.expanded += size;
        self.nodes += size;
        if self.expanded > MAX_EXPANDED {
            return Err(self.error(mark, format!("Aliases repeat more than {MAX_EXPANDED} values")));
        }
        // As it was read at its anchor, also inside of `!unsafe`.
        let Some((node, _)) = self.anchors.get(name).cloned() else { return Ok(()) };
        self.attach(node)
    }

    fn scalar(
        &mut self,
        anchor: Option<Box<str>>,
        tag: Option<Box<str>>,
        text: String,
        style: ScalarStyle,
        mark: Mark,
    ) -> Result<()> {
        let mut trusted = self.trust();
        let plain = style == ScalarStyle::Plain;
        let wrong = |message: String| failed(&message).at(Some(&self.pos(mark)));
        let value = match tag.as_deref() {
            None | Some("!" | "!unsafe") => {
                trusted &= tag.as_deref() != Some("!unsafe");
                if !plain {
                    NodeKind::Str(text.into())
                } else {
                    match scalar::resolve(&text).map_err(wrong)? {
                        Plain::Merge if self.at_key() && tag.is_none() => return self.merge_key(),
                        Plain::Merge => {
                            return Err(self.error(mark, unknown_tag(&format!("{STANDARD}merge"))));
                        }
                        Plain::Value if !self.at_key() => {
                            return Err(self.error(mark, unknown_tag(&format!("{STANDARD}value"))));
                        }
                        other => {
                            // A date in Ansible is no string: nothing in it is rendered.
                            trusted &= !matches!(other, Plain::Timestamp(_));
                            node_kind(other, text)
                        }
                    }
                }
            }
            Some("!vault" | "!vault-encrypted") => {
                if plain && text.is_empty() {
                    return Err(self.error(mark, vault_needs_text(&tag)));
                }
                NodeKind::Vault(text.into())
            }
            Some(tag) => match tag.strip_prefix(STANDARD).unwrap_or(tag) {
                "merge" if self.at_key() => return self.merge_key(),
                name => match standard(name, &text).map_err(wrong)? {
                    Some(kind) => {
                        trusted &= !matches!(name, "binary" | "timestamp");
                        kind
                    }
                    None => return Err(self.error(mark, mismatch(name, tag))),
                },
            },
        };
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        let node = Node { value, style, trusted, pos: self.pos(mark) };
        self.nodes += 1;
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, (node.clone(), 1));
        }
        self.attach(node)
    }

    fn merge_key(&mut self) -> Result<()> {
        if let Some(Frame { kind: FrameKind::Map { key, .. }, .. }) = self.stack.last_mut() {
            *key = Some(MapKey::Merge);
        }
        Ok(())
    }

    /// Put a finished node where it belongs: the document, a list, a key or a value.
    fn attach(&mut self, node: Node) -> Result<()> {
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut frame.kind {
            FrameKind::Seq(items) => items.push(node),
            FrameKind::Map { pairs, merged, key } => match key.take() {
                None if matches!(node.value, NodeKind::Seq(_) | NodeKind::Map(_)) => {
                    let pos = node.pos.clone();
                    *key = Some(MapKey::Node(Node { value: NodeKind::Null, ..node }));
                    if self.deferred.is_none() {
                        self.deferred = Some(self.unhashable(&pos));
                    }
                }
                None => *key = Some(MapKey::Node(node)),
                Some(MapKey::Node(key)) => pairs.push((key, node)),
                Some(MapKey::Merge) => merged.extend(merge(node)?),
            },
        }
        Ok(())
    }

    fn unhashable(&self, pos: &Pos) -> Error {
        let message = "While constructing a mapping found unhashable key";
        self.hinted(failed(message), pos, "found unhashable key").at(Some(pos))
    }

    /// The last of equal keys wins, at the place of the first, as in Python's dict.
    fn without_duplicates(&mut self, pairs: Vec<(Node, Node)>) -> Vec<(Node, Node)> {
        const FEW: usize = 8;
        let mut seen: HashMap<Key, usize> = HashMap::new();
        let mut result: Vec<(Node, Node)> = Vec::with_capacity(pairs.len());
        let few = pairs.len() <= FEW;
        for (key, value) in pairs {
            let before = if few {
                result.iter().position(|(other, _)| same_key(other, &key))
            } else {
                key.to_key().and_then(|k| {
                    let next = result.len();
                    let at = *seen.entry(k).or_insert(next);
                    (at != next).then_some(at)
                })
            };
            match before {
                None => result.push((key, value)),
                Some(at) => {
                    let name = match &key.value {
                        NodeKind::Str(text) => format!("'{text}'"),
                        NodeKind::Bool(true) => "True".into(),
                        NodeKind::Bool(false) => "False".into(),
                        _ => key.to_key().map(|k| k.to_string()).unwrap_or_default(),
                    };
                    self.warnings.push(
                        Error::new(format!("Found duplicate mapping key {name}"))
                            .with_help("Using last defined value only.")
                            .at(Some(&key.pos)),
                    );
                    result[at].1 = value;
                }
            }
        }
        result
    }

    fn syntax(&self, error: &ParseError) -> Error {
        if let Some(character) = error.character {
            let pos = position_of(self.text, &self.file, error.offset);
            let message = format!("unacceptable character #x{character:04x}: {}", error.problem);
            return failed(&message).at(Some(&pos)).with_help("is this a text file?");
        }
        let Some(mark) = error.mark else { return failed(&error.problem) };
        let sentence = match &error.context {
            Some(context) => format!("{context} {}", error.problem),
            None => error.problem.clone(),
        };
        let pos = self.pos(mark);
        self.hinted(failed(&capitalized(&sentence)), &pos, &error.problem).at(Some(&pos))
    }

    /// Replace what libyaml says by what is likely meant, if the line shows it.
    fn hinted(&self, error: Error, pos: &Pos, problem: &str) -> Error {
        let text = std::str::from_utf8(self.text).unwrap_or_default();
        match hint::usual_mistake(text, pos.line, pos.column, problem) {
            Some(hint) => failed(hint.message).with_help(hint.help),
            None => error,
        }
    }
}

fn failed(message: &str) -> Error {
    Error::new(format!("YAML parsing failed: {message}")).with_kind(ErrorKind::Syntax)
}

fn unknown_tag(tag: &str) -> String {
    format!("Could not determine a constructor for the tag '{tag}'")
}

fn vault_needs_text(tag: &Option<Box<str>>) -> String {
    format!("The '{}' tag requires a string value", tag.as_deref().unwrap_or("!vault"))
}

/// A scalar under a tag that wants something else.
fn mismatch(name: &str, tag: &str) -> String {
    match name {
        "seq" | "omap" | "pairs" => "Expected a sequence node, but found scalar".into(),
        "map" | "set" => "Expected a mapping node, but found scalar".into(),
        _ => unknown_tag(tag),
    }
}

/// A scalar under one of YAML's own tags; `None` if the tag is not one for scalars.
fn standard(name: &str, text: &str) -> Result<Option<NodeKind>, String> {
    Ok(Some(match name {
        "str" => NodeKind::Str(text.into()),
        "null" => NodeKind::Null,
        "bool" => {
            NodeKind::Bool(scalar::parse_bool(text).ok_or_else(|| format!("'{}'", text.to_lowercase()))?)
        }
        "int" => node_kind(scalar::parse_int(text)?, String::new()),
        "float" => NodeKind::Float(scalar::parse_float(text)?),
        "timestamp" => NodeKind::Str(scalar::parse_timestamp(text)?.into()),
        "binary" => NodeKind::Str(binary(text)?.into()),
        _ => return Ok(None),
    }))
}

/// `!!binary`: the text that the base64 stands for. What is no text cannot be a value here.
fn binary(text: &str) -> Result<String, String> {
    use base64::Engine as _;
    let engine = base64::engine::GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        base64::engine::GeneralPurposeConfig::new()
            .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
    );
    let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = engine.decode(compact).map_err(|error| format!("failed to decode base64 data: {error}"))?;
    String::from_utf8(bytes)
        .map_err(|_| "binary data that is not UTF-8 text is not supported as a value".into())
}

fn node_kind(plain: Plain, text: String) -> NodeKind {
    match plain {
        Plain::Null => NodeKind::Null,
        Plain::Bool(b) => NodeKind::Bool(b),
        Plain::Int(i) => NodeKind::Int(i),
        Plain::BigInt(digits) => NodeKind::BigInt(digits),
        Plain::Float(f) => NodeKind::Float(f),
        Plain::Timestamp(iso) => NodeKind::Str(iso.into()),
        Plain::Merge | Plain::Value | Plain::Str => NodeKind::Str(text.into()),
    }
}

/// What `<<: node` brings: of a list of dictionaries the first has the last word, so it comes last.
fn merge(node: Node) -> Result<Vec<(Node, Node)>> {
    let kind_of = |node: &Node| match node.value {
        NodeKind::Seq(_) => "sequence",
        NodeKind::Map(_) => "mapping",
        _ => "scalar",
    };
    match node.value {
        NodeKind::Map(pairs) => Ok(pairs),
        NodeKind::Seq(items) => {
            let mut all = Vec::new();
            for item in items.into_iter().rev() {
                let kind = kind_of(&item);
                let NodeKind::Map(pairs) = item.value else {
                    let message = format!(
                        "While constructing a mapping expected a mapping for merging, but found {kind}"
                    );
                    return Err(failed(&message).at(Some(&item.pos)));
                };
                all.extend(pairs);
            }
            Ok(all)
        }
        _ => {
            let message = format!(
                "While constructing a mapping expected a mapping or list of mappings for merging, but found {}",
                kind_of(&node)
            );
            Err(failed(&message).at(Some(&node.pos)))
        }
    }
}

fn same_key(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (NodeKind::Str(a), NodeKind::Str(b)) => a == b,
        (NodeKind::Str(_), _) | (_, NodeKind::Str(_)) => false,
        _ => a.to_key() == b.to_key(),
    }
}

fn capitalized(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + chars.as_str())
}

fn not_utf8(text: &[u8], file: &Arc<Path>, offset: usize) -> Error {
    let byte = text.get(offset).copied().unwrap_or_default();
    failed(&format!("the file is not UTF-8 text: byte 0x{byte:02x} cannot be decoded"))
        .at(Some(&position_of(text, file, offset)))
        .with_help("save it as UTF-8")
}

/// Line and column of a byte.
fn position_of(text: &[u8], file: &Arc<Path>, offset: usize) -> Pos {
    let before = &text[..offset.min(text.len())];
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    Pos {
        file: file.clone(),
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX),
    }
}
