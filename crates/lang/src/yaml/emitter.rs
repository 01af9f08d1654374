//! The one place that touches `unsafe-libyaml`'s emitter: events in, text out.
//!
//! PyYAML prints with libyaml's emitter, so line folding, quoting and indentation come out the same by using it.

use std::ffi::{CString, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use unsafe_libyaml as unsafe_sys;

use super::dump::{DumpOptions, ScalarQuotes};
use super::libyaml::free;
use crate::{Error, Result};

/// A scalar to print.
pub(crate) struct Scalar<'a> {
    pub anchor: Option<&'a str>,
    pub tag: &'a str,
    pub text: &'a [u8],
    /// Reading the text back unquoted gives the tag.
    pub plain_implicit: bool,
    /// Reading the text back in quotes gives the tag.
    pub quoted_implicit: bool,
    pub style: ScalarQuotes,
}

pub(crate) struct Emitter {
    // From boxes, owned here: libyaml keeps a pointer to the output.
    sys: *mut unsafe_sys::yaml_emitter_t,
    output: *mut Vec<u8>,
    implicit_end: bool,
}

impl Emitter {
    /// An emitter with an open stream and document.
    pub fn start(options: &DumpOptions) -> Result<Self> {
        let sys = Box::into_raw(Box::new(MaybeUninit::<unsafe_sys::yaml_emitter_t>::zeroed())).cast();
        // SAFETY: the emitter is at its final address; so is the vector that the handler writes to, and both live
        // until `drop`. The options are set before the first event.
        let mut emitter = unsafe {
            if unsafe_sys::yaml_emitter_initialize(sys).fail {
                free(sys);
                return Err(Error::new("cannot represent an object: out of memory"));
            }
            let output = Box::into_raw(Box::<Vec<u8>>::default());
            unsafe_sys::yaml_emitter_set_output(sys, write, output.cast());
            unsafe_sys::yaml_emitter_set_unicode(sys, options.allow_unicode);
            unsafe_sys::yaml_emitter_set_canonical(sys, options.canonical);
            if let Some(indent) = options.indent {
                unsafe_sys::yaml_emitter_set_indent(sys, i32::try_from(indent).unwrap_or(0));
            }
            if let Some(width) = options.width {
                unsafe_sys::yaml_emitter_set_width(sys, i32::try_from(width).unwrap_or(i32::MAX));
            }
            Self { sys, output, implicit_end: !options.explicit_end }
        };
        emitter.emit(|event| {
            // SAFETY: `event` is the uninitialized event that the function fills.
            unsafe {
                unsafe_sys::yaml_stream_start_event_initialize(event, unsafe_sys::YAML_UTF8_ENCODING).ok
            }
        })?;
        let implicit = !options.explicit_start;
        emitter.emit(|event| {
            // SAFETY: as above; no directives are passed.
            unsafe {
                unsafe_sys::yaml_document_start_event_initialize(
                    event,
                    ptr::null_mut(),
                    ptr::null_mut(),
                    ptr::null_mut(),
                    implicit,
                )
                .ok
            }
        })?;
        Ok(emitter)
    }

    /// Close document and stream; the text.
    pub fn finish(mut self) -> Result<String> {
        let implicit = self.implicit_end;
        // SAFETY: `event` is the uninitialized event that the function fills.
        self.emit(|event| unsafe { unsafe_sys::yaml_document_end_event_initialize(event, implicit).ok })?;
        // SAFETY: as above.
        self.emit(|event| unsafe { unsafe_sys::yaml_stream_end_event_initialize(event).ok })?;
        // SAFETY: the emitter is initialized.
        let flushed = unsafe { unsafe_sys::yaml_emitter_flush(self.sys).ok };
        if !flushed {
            return Err(Error::new("cannot represent an object"));
        }
        // SAFETY: the emitter has finished: nobody else uses the vector.
        let output = std::mem::take(unsafe { &mut *self.output });
        String::from_utf8(output).map_err(|error| Error::new(error.to_string()))
    }

    pub fn alias(&mut self, anchor: &str) -> Result<()> {
        let anchor = c_text(anchor)?;
        // SAFETY: the anchor is a C string that lives for the call, which copies it.
        self.emit(|event| unsafe {
            unsafe_sys::yaml_alias_event_initialize(event, anchor.as_ptr().cast()).ok
        })
    }

    pub fn scalar(&mut self, scalar: &Scalar<'_>) -> Result<()> {
        let anchor = scalar.anchor.map(c_text).transpose()?;
        let tag = c_text(scalar.tag)?;
        let length =
            i32::try_from(scalar.text.len()).map_err(|_| Error::new("the text is too long for YAML"))?;
        let style = match scalar.style {
            ScalarQuotes::Any => unsafe_sys::YAML_ANY_SCALAR_STYLE,
            ScalarQuotes::Single => unsafe_sys::YAML_SINGLE_QUOTED_SCALAR_STYLE,
            ScalarQuotes::Double => unsafe_sys::YAML_DOUBLE_QUOTED_SCALAR_STYLE,
            ScalarQuotes::Literal => unsafe_sys::YAML_LITERAL_SCALAR_STYLE,
            ScalarQuotes::Folded => unsafe_sys::YAML_FOLDED_SCALAR_STYLE,
        };
        // SAFETY: anchor, tag and text live for the call, which copies them; the length is the text's.
        self.emit(|event| unsafe {
            unsafe_sys::yaml_scalar_event_initialize(
                event,
                pointer(&anchor),
                tag.as_ptr().cast(),
                scalar.text.as_ptr(),
                length,
                scalar.plain_implicit,
                scalar.quoted_implicit,
                style,
            )
            .ok
        })
    }

    pub fn start_sequence(&mut self, anchor: Option<&str>, flow: bool) -> Result<()> {
        let anchor = anchor.map(c_text).transpose()?;
        let style =
            if flow { unsafe_sys::YAML_FLOW_SEQUENCE_STYLE } else { unsafe_sys::YAML_BLOCK_SEQUENCE_STYLE };
        // SAFETY: the anchor lives for the call, which copies it.
        self.emit(|event| unsafe {
            let tag = c"tag:yaml.org,2002:seq".as_ptr().cast();
            unsafe_sys::yaml_sequence_start_event_initialize(event, pointer(&anchor), tag, true, style).ok
        })
    }

    pub fn end_sequence(&mut self) -> Result<()> {
        // SAFETY: `event` is the uninitialized event that the function fills.
        self.emit(|event| unsafe { unsafe_sys::yaml_sequence_end_event_initialize(event).ok })
    }

    pub fn start_mapping(&mut self, anchor: Option<&str>, flow: bool) -> Result<()> {
        let anchor = anchor.map(c_text).transpose()?;
        let style =
            if flow { unsafe_sys::YAML_FLOW_MAPPING_STYLE } else { unsafe_sys::YAML_BLOCK_MAPPING_STYLE };
        // SAFETY: the anchor lives for the call, which copies it.
        self.emit(|event| unsafe {
            let tag = c"tag:yaml.org,2002:map".as_ptr().cast();
            unsafe_sys::yaml_mapping_start_event_initialize(event, pointer(&anchor), tag, true, style).ok
        })
    }

    pub fn end_mapping(&mut self) -> Result<()> {
        // SAFETY: `event` is the uninitialized event that the function fills.
        self.emit(|event| unsafe { unsafe_sys::yaml_mapping_end_event_initialize(event).ok })
    }

    fn emit(&mut self, initialize: impl FnOnce(*mut unsafe_sys::yaml_event_t) -> bool) -> Result<()> {
        let mut event = MaybeUninit::<unsafe_sys::yaml_event_t>::zeroed();
        // SAFETY: the event is initialized when `initialize` says so; the emitter takes it over and frees it, also
        // when it fails.
        let ok = unsafe {
            initialize(event.as_mut_ptr()) && unsafe_sys::yaml_emitter_emit(self.sys, event.as_mut_ptr()).ok
        };
        if ok { Ok(()) } else { Err(Error::new("cannot represent an object")) }
    }
}

impl Drop for Emitter {
    fn drop(&mut self) {
        // SAFETY: initialized in `start`, deleted and freed only here; the vector is not used after the emitter.
        unsafe {
            unsafe_sys::yaml_emitter_delete(self.sys);
            free(self.sys);
            drop(Box::from_raw(self.output));
        }
    }
}

fn c_text(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::new("a tag cannot contain a null character"))
}

fn pointer(text: &Option<CString>) -> *const u8 {
    text.as_ref().map_or_else(ptr::null, |text| text.as_ptr().cast())
}

/// libyaml's output handler: appends to the vector behind `data`.
///
/// # Safety
/// `data` is the vector given to `yaml_emitter_set_output`; `buffer` has `size` bytes.
unsafe fn write(data: *mut c_void, buffer: *mut u8, size: u64) -> i32 {
    let Ok(size) = usize::try_from(size) else { return 0 };
    // SAFETY: by the contract above; nobody else holds a reference to the vector during a call of the emitter.
    unsafe { (*data.cast::<Vec<u8>>()).extend_from_slice(std::slice::from_raw_parts(buffer, size)) };
    1
}
