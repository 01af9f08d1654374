//! Text in other encodings than UTF-8: `output_encoding` of `template`, by the names that Python has for them.

/// What Windows-1252 has from 0x80 on; a zero is a byte that means nothing.
const WINDOWS_1252: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’', '“',
    '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

/// Where ISO 8859-15 differs from ISO 8859-1.
const LATIN_9: [(u8, char); 8] =
    [(0xa4, '€'), (0xa6, 'Š'), (0xa8, 'š'), (0xb4, 'Ž'), (0xb8, 'ž'), (0xbc, 'Œ'), (0xbd, 'œ'), (0xbe, 'Ÿ')];

/// The bytes of `text`; the error is Python's sentence.
pub fn encode(text: &str, encoding: &str) -> Result<Vec<u8>, String> {
    let name = encoding.trim().to_ascii_lowercase().replace(['-', ' '], "_");
    let units = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    Ok(match name.as_str() {
        "utf_8" | "utf8" | "u8" => text.as_bytes().to_vec(),
        "utf_8_sig" => ["\u{feff}", text].concat().into_bytes(),
        "utf_16_le" | "utf_16le" => units(u16::to_le_bytes),
        "utf_16_be" | "utf_16be" => units(u16::to_be_bytes),
        "utf_16" | "utf16" | "u16" => {
            let mut bytes = vec![0xff, 0xfe];
            bytes.extend(units(u16::to_le_bytes));
            bytes
        }
        "ascii" | "us_ascii" | "646" => bytewise(text, "ascii", "ordinal not in range(128)", |c| {
            u8::try_from(c).ok().filter(u8::is_ascii)
        })?,
        "latin_1" | "latin1" | "iso_8859_1" | "iso8859_1" | "8859" | "l1" | "cp819" => {
            bytewise(text, "latin-1", "ordinal not in range(256)", |c| u8::try_from(c).ok())?
        }
        "iso_8859_15" | "iso8859_15" | "latin_9" | "latin9" | "l9" => {
            bytewise(text, "charmap", UNMAPPED, |c| match LATIN_9.iter().find(|(_, known)| *known == c) {
                Some((byte, _)) => Some(*byte),
                None => u8::try_from(c).ok().filter(|byte| LATIN_9.iter().all(|(taken, _)| taken != byte)),
            })?
        }
        "cp1252" | "windows_1252" | "1252" => {
            bytewise(text, "charmap", UNMAPPED, |c| match u8::try_from(c) {
                Ok(byte @ (0..0x80 | 0xa0..)) => Some(byte),
                _ => WINDOWS_1252.iter().position(|known| *known == c).map(|at| 0x80 + at as u8),
            })?
        }
        _ => return Err(format!("unknown encoding: {encoding}")),
    })
}

const UNMAPPED: &str = "character maps to <undefined>";

/// One byte for each character.
fn bytewise(
    text: &str,
    codec: &str,
    why: &str,
    byte: impl Fn(char) -> Option<u8>,
) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        let Some(byte) = byte(c) else {
            let run = text.chars().skip(at).take_while(|c| byte(*c).is_none()).count();
            return Err(match run {
                1 => {
                    format!("'{codec}' codec can't encode character '{}' in position {at}: {why}", escaped(c))
                }
                n => {
                    format!("'{codec}' codec can't encode characters in position {at}-{}: {why}", at + n - 1)
                }
            });
        };
        bytes.push(byte);
    }
    Ok(bytes)
}

/// As Python shows a character that it cannot.
fn escaped(c: char) -> String {
    match u32::from(c) {
        code @ 0..=0xff => format!("\\x{code:02x}"),
        code @ 0x100..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn encodings_of_one_byte() {
        assert_eq!(encode("aä€", "cp1252"), Ok(vec![b'a', 0xe4, 0x80]));
        assert_eq!(encode("aä€", "ISO-8859-15"), Ok(vec![b'a', 0xe4, 0xa4]));
        let msg =
            "'charmap' codec can't encode character '\\xa4' in position 0: character maps to <undefined>";
        assert_eq!(encode("¤", "iso8859-15"), Err(msg.into()));
        let msg = "'ascii' codec can't encode characters in position 1-2: ordinal not in range(128)";
        assert_eq!(encode("aäöa", "ascii"), Err(msg.into()));
    }

    #[test]
    fn marks_of_the_byte_order() {
        assert_eq!(encode("a", "utf-16"), Ok(vec![0xff, 0xfe, b'a', 0]));
        assert_eq!(encode("a", "utf-8-sig"), Ok(vec![0xef, 0xbb, 0xbf, b'a']));
    }
}
