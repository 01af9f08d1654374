//! The one place that touches `unsafe-libyaml`'s parser: text in, events out.
//!
//! libyaml is what Ansible reads YAML with; this is its translation to Rust. The wrapper owns the parser and the
//! text it reads from, copies everything out of an event before the event is freed, and gives marks in characters.

use std::ffi::CStr;
use std::mem::MaybeUninit;

use unsafe_libyaml as unsafe_sys;

/// A place in the text: line and column counted from 0, in characters; index in bytes of the decoded input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub line: u32,
    pub column: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScalarStyle {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

/// What the parser saw. Anchors and tags are copied only where they are.
#[derive(Debug)]
pub(crate) enum Event {
    StreamStart,
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias(Box<str>),
    Scalar { anchor: Option<Box<str>>, tag: Option<Box<str>>, text: String, style: ScalarStyle },
    SequenceStart { anchor: Option<Box<str>>, tag: Option<Box<str>>, flow: bool },
    SequenceEnd,
    MappingStart { anchor: Option<Box<str>>, tag: Option<Box<str>>, flow: bool },
    MappingEnd,
}

/// Why libyaml stopped.
#[derive(Debug)]
pub(crate) struct ParseError {
    pub context: Option<String>,
    pub problem: String,
    /// Where; `None` for characters that YAML does not allow at all, which `offset` places.
    pub mark: Option<Mark>,
    /// The byte of the input, for an error of the reader.
    pub offset: usize,
    /// The character that is not allowed, for an error of the reader.
    pub character: Option<u32>,
}

pub(crate) struct Parser<'a> {
    // From a box, owned here: libyaml keeps a pointer to the parser inside the parser.
    sys: *mut unsafe_sys::yaml_parser_t,
    failed: bool,
    _text: std::marker::PhantomData<&'a [u8]>,
}

impl<'a> Parser<'a> {
    pub fn new(text: &'a [u8]) -> Option<Self> {
        let sys = Box::into_raw(Box::new(MaybeUninit::<unsafe_sys::yaml_parser_t>::zeroed())).cast();
        // SAFETY: the parser is at its final address; `text` outlives it by `'a`, and libyaml only reads it.
        unsafe {
            if unsafe_sys::yaml_parser_initialize(sys).fail {
                free(sys);
                return None;
            }
            unsafe_sys::yaml_parser_set_input_string(sys, text.as_ptr(), text.len() as u64);
        }
        Some(Self { sys, failed: false, _text: std::marker::PhantomData })
    }

    /// The next event and where it starts and ends. After an error, or after the end of the stream, the same again.
    pub fn next(&mut self) -> Result<(Event, Mark), ParseError> {
        if self.failed {
            return Err(self.error());
        }
        let mut event = MaybeUninit::<unsafe_sys::yaml_event_t>::zeroed();
        // SAFETY: the parser is initialized and has not failed; a successful call initializes the event, which is
        // freed once after everything needed was copied out of it.
        unsafe {
            if unsafe_sys::yaml_parser_parse(self.sys, event.as_mut_ptr()).fail {
                self.failed = true;
                return Err(self.error());
            }
            let converted = convert(&*event.as_ptr());
            let mark = mark((*event.as_ptr()).start_mark);
            unsafe_sys::yaml_event_delete(event.as_mut_ptr());
            Ok((converted, mark))
        }
    }

    fn error(&self) -> ParseError {
        // SAFETY: the parser is initialized; its messages are static C strings or null.
        unsafe {
            let parser = &*self.sys;
            let reader = parser.error == unsafe_sys::YAML_READER_ERROR;
            ParseError {
                context: static_text(parser.context),
                problem: static_text(parser.problem).unwrap_or_else(|| "could not be parsed".into()),
                mark: (!reader).then(|| mark(parser.problem_mark)),
                offset: usize::try_from(parser.problem_offset).unwrap_or(0),
                character: if reader { u32::try_from(parser.problem_value).ok() } else { None },
            }
        }
    }
}

impl Drop for Parser<'_> {
    fn drop(&mut self) {
        // SAFETY: initialized in `new`, deleted and freed only here.
        unsafe {
            unsafe_sys::yaml_parser_delete(self.sys);
            free(self.sys);
        }
    }
}

/// Give the memory of a parser or emitter back.
///
/// # Safety
/// `pointer` came from a `Box<MaybeUninit<T>>`, and nothing uses it afterwards.
pub(super) unsafe fn free<T>(pointer: *mut T) {
    // SAFETY: by the contract above.
    drop(unsafe { Box::from_raw(pointer.cast::<MaybeUninit<T>>()) });
}

fn mark(mark: unsafe_sys::yaml_mark_t) -> Mark {
    Mark {
        line: u32::try_from(mark.line).unwrap_or(u32::MAX - 1),
        column: u32::try_from(mark.column).unwrap_or(u32::MAX - 1),
    }
}

/// # Safety
/// `text` is null or points to a C string that lives for the call.
unsafe fn static_text(text: *const i8) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not null, a C string by the contract above.
    Some(unsafe { CStr::from_ptr(text.cast()) }.to_string_lossy().into_owned())
}

/// # Safety
/// `text` is null or points to a C string that lives for the call.
unsafe fn name(text: *const u8) -> Option<Box<str>> {
    // SAFETY: the caller's contract is this function's.
    unsafe { static_text(text.cast()) }.map(String::into_boxed_str)
}

/// # Safety
/// `event` was filled by a successful `yaml_parser_parse` and not yet freed.
unsafe fn convert(event: &unsafe_sys::yaml_event_t) -> Event {
    // SAFETY: the tag says which member of the union is the one that was written.
    unsafe {
        match event.type_ {
            unsafe_sys::YAML_STREAM_START_EVENT => Event::StreamStart,
            unsafe_sys::YAML_DOCUMENT_START_EVENT => Event::DocumentStart,
            unsafe_sys::YAML_DOCUMENT_END_EVENT => Event::DocumentEnd,
            unsafe_sys::YAML_ALIAS_EVENT => Event::Alias(name(event.data.alias.anchor).unwrap_or_default()),
            unsafe_sys::YAML_SCALAR_EVENT => {
                let scalar = &event.data.scalar;
                let length = usize::try_from(scalar.length).unwrap_or(0);
                let bytes = if scalar.value.is_null() {
                    &[][..]
                } else {
                    std::slice::from_raw_parts(scalar.value, length)
                };
                Event::Scalar {
                    anchor: name(scalar.anchor),
                    tag: name(scalar.tag),
                    text: String::from_utf8_lossy(bytes).into_owned(),
                    style: match scalar.style {
                        unsafe_sys::YAML_SINGLE_QUOTED_SCALAR_STYLE => ScalarStyle::SingleQuoted,
                        unsafe_sys::YAML_DOUBLE_QUOTED_SCALAR_STYLE => ScalarStyle::DoubleQuoted,
                        unsafe_sys::YAML_LITERAL_SCALAR_STYLE => ScalarStyle::Literal,
                        unsafe_sys::YAML_FOLDED_SCALAR_STYLE => ScalarStyle::Folded,
                        _ => ScalarStyle::Plain,
                    },
                }
            }
            unsafe_sys::YAML_SEQUENCE_START_EVENT => {
                let start = &event.data.sequence_start;
                Event::SequenceStart {
                    anchor: name(start.anchor),
                    tag: name(start.tag),
                    flow: start.style == unsafe_sys::YAML_FLOW_SEQUENCE_STYLE,
                }
            }
            unsafe_sys::YAML_SEQUENCE_END_EVENT => Event::SequenceEnd,
            unsafe_sys::YAML_MAPPING_START_EVENT => {
                let start = &event.data.mapping_start;
                Event::MappingStart {
                    anchor: name(start.anchor),
                    tag: name(start.tag),
                    flow: start.style == unsafe_sys::YAML_FLOW_MAPPING_STYLE,
                }
            }
            unsafe_sys::YAML_MAPPING_END_EVENT => Event::MappingEnd,
            _ => Event::StreamEnd,
        }
    }
}
