//! Characters beyond U+FFFF, which libyaml prints as escapes and its translation to Rust prints as they are.
//!
//! PyYAML's output has to come out to the letter (and the escapes decide quotes and folding), so such characters
//! are handed to the emitter as code points beyond Unicode, which it does escape, and the escapes are put right
//! in its output.

use std::borrow::Cow;

/// The first code point that the emitter does not print as it is: four bytes that start with 0xF5.
const STAND_IN: u32 = 0x14_0000;

/// The planes that have characters, in the order of their stand-ins. The others have none yet.
const PLANES: [u32; 6] = [1, 2, 3, 14, 15, 16];

/// The bytes for the emitter. A text that looks like such an escape itself is left alone.
pub(crate) fn encode(text: &str) -> Cow<'_, [u8]> {
    if !text.bytes().any(|b| b >= 0xf0) || text.contains("\\U001") {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        let code = u32::from(c);
        match PLANES.iter().zip(0u32..).find(|(plane, _)| **plane == code >> 16) {
            Some((_, index)) => {
                let stand_in = STAND_IN + (index << 16) + (code & 0xffff);
                bytes.extend([18, 12, 6, 0].map(|shift| {
                    let lead: u32 = if shift == 18 { 0xf0 } else { 0x80 };
                    let mask = if shift == 18 { 0x07 } else { 0x3f };
                    (lead | ((stand_in >> shift) & mask)) as u8
                }));
            }
            None => bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// Put the escapes of stand-ins right.
pub(crate) fn decode(output: String) -> String {
    if !output.contains("\\U001") {
        return output;
    }
    let mut result = String::with_capacity(output.len());
    let mut rest = output.as_str();
    while let Some(at) = rest.find("\\U001") {
        let digits = rest.get(at + 2..at + 10).and_then(|d| u32::from_str_radix(d, 16).ok());
        let plane = digits.and_then(|code| PLANES.get(((code.checked_sub(STAND_IN)?) >> 16) as usize));
        result.push_str(&rest[..at]);
        match (digits, plane) {
            (Some(code), Some(plane)) => {
                result.push_str(&format!("\\U{:08X}", (plane << 16) | (code & 0xffff)));
                rest = &rest[at + 10..];
            }
            _ => {
                result.push_str("\\U001");
                rest = &rest[at + 5..];
            }
        }
    }
    result + rest
}
