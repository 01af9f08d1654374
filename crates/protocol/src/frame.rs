//! Frames: four bytes of length (big endian), then a MessagePack value.
//!
//! A length over [`MAX_FRAME`] is an error before anything is allocated, so that a damaged or hostile peer
//! cannot make this side run out of memory.

use std::io::{self, Read, Write};

use serde::{Serialize, de::DeserializeOwned};

/// Longest frame in bytes. Contents of files travel in pieces of at most [`BLOB_PIECE`].
pub const MAX_FRAME: usize = 64 << 20;

/// Size of a piece of file content, in bytes.
pub const BLOB_PIECE: usize = 256 << 10;

/// Why a frame could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("connection: {0}")]
    Io(#[from] io::Error),
    #[error("a frame of {0} bytes is longer than allowed ({MAX_FRAME})")]
    TooLong(usize),
    #[error("malformed message: {0}")]
    Malformed(String),
}

/// `message` as one frame, length included.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0; 4];
    let mut serializer = rmp_serde::Serializer::new(&mut frame).with_struct_map();
    message.serialize(&mut serializer).map_err(|e| FrameError::Malformed(e.to_string()))?;
    let length = frame.len() - 4;
    if length > MAX_FRAME {
        return Err(FrameError::TooLong(length));
    }
    frame[..4].copy_from_slice(&(length as u32).to_be_bytes());
    Ok(frame)
}

/// Read the value of one frame from its content (without the length).
pub fn decode<T: DeserializeOwned>(content: &[u8]) -> Result<T, FrameError> {
    rmp_serde::from_slice(content).map_err(|e| FrameError::Malformed(e.to_string()))
}

/// Write one frame; the caller flushes.
pub fn write<T: Serialize>(out: &mut impl Write, message: &T) -> Result<(), FrameError> {
    out.write_all(&encode(message)?)?;
    Ok(())
}

/// Read one frame; `None` at a clean end of input.
pub fn read<T: DeserializeOwned>(input: &mut impl Read) -> Result<Option<T>, FrameError> {
    let mut length = [0; 4];
    match input.read(&mut length[..1])? {
        0 => return Ok(None),
        _ => input.read_exact(&mut length[1..])?,
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err(FrameError::TooLong(length));
    }
    let mut content = Vec::with_capacity(length.min(1 << 20));
    if input.take(length as u64).read_to_end(&mut content)? < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    decode(&content).map(Some)
}

/// Collects bytes as they arrive and hands out the frames in them; for callers that cannot block.
#[derive(Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
}

impl Decoder {
    /// Add what has arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.start > 0 && self.start >= self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next complete frame, if there is one.
    pub fn next_frame<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let rest = &self.buffer[self.start..];
        let Some(head) = rest.get(..4) else { return Ok(None) };
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if length > MAX_FRAME {
            return Err(FrameError::TooLong(length));
        }
        let Some(content) = rest.get(4..4 + length) else { return Ok(None) };
        let message = decode(content)?;
        self.start += 4 + length;
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FromAgent, ToAgent};

    #[test]
    fn frames_survive_any_split() {
        let messages = [ToAgent::Go { id: 7 }, ToAgent::Flush { token: 9 }, ToAgent::Go { id: u64::MAX }];
        let bytes: Vec<u8> = messages.iter().flat_map(|m| encode(m).unwrap()).collect();
        for piece in 1..bytes.len() {
            let mut decoder = Decoder::default();
            let mut seen = Vec::new();
            for part in bytes.chunks(piece) {
                decoder.feed(part);
                while let Some(message) = decoder.next_frame::<ToAgent>().unwrap() {
                    seen.push(message);
                }
            }
            assert_eq!(seen, messages);
        }
    }

    #[test]
    fn a_json_value_of_every_kind_survives() {
        let value = serde_json::json!({"a": [null, true, -1, 1.5, "é\u{0}", {"b": u64::MAX}]});
        let mut outcome = crate::Outcome::default();
        outcome.result.insert("v".into(), value);
        let message = FromAgent::Outcome { id: 1, outcome };
        let bytes = encode(&message).unwrap();
        assert_eq!(read::<FromAgent>(&mut &bytes[..]).unwrap(), Some(message));
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_reading() {
        let bytes = [0xff; 8];
        assert!(matches!(read::<ToAgent>(&mut &bytes[..]), Err(FrameError::TooLong(_))));
        let mut decoder = Decoder::default();
        decoder.feed(&bytes);
        assert!(matches!(decoder.next_frame::<ToAgent>(), Err(FrameError::TooLong(_))));
    }

    #[test]
    fn a_cut_frame_is_an_error_and_no_input_is_the_end() {
        let bytes = encode(&ToAgent::Go { id: 7 }).unwrap();
        assert!(read::<ToAgent>(&mut &bytes[..bytes.len() - 1]).is_err());
        assert!(read::<ToAgent>(&mut &bytes[..0]).unwrap().is_none());
    }
}
