//! Contents of files that travel apart from the arguments.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use protocol::Hash;
use serde_json::Value;

use crate::args::ArgType;
use crate::{Host, ModuleError, Result};

/// File content as an argument: written out, or named by hash and fetched when it is really needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blob {
    Inline(Vec<u8>),
    /// `{"$blob": "<sha256 hex>", "size": N}`.
    Remote {
        hash: Hash,
        size: u64,
    },
}

/// Where an agent finds contents; asks the controller for what it lacks.
pub trait Blobs: Send + Sync {
    /// A local file with this content, complete and verified. It may be moved away by the caller only if
    /// it copies it first: others may want it, too.
    fn fetch(&self, hash: Hash) -> io::Result<PathBuf>;
}

/// For agents that have nobody to ask.
pub struct NoBlobs;

impl Blobs for NoBlobs {
    fn fetch(&self, hash: Hash) -> io::Result<PathBuf> {
        Err(io::Error::new(io::ErrorKind::NotFound, format!("content {hash} is not here")))
    }
}

impl Blob {
    pub fn hash(&self) -> Hash {
        match self {
            Self::Inline(content) => Hash::of(content),
            Self::Remote { hash, .. } => *hash,
        }
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Inline(content) => content.len() as u64,
            Self::Remote { size, .. } => *size,
        }
    }

    /// A reader over the content; fetches it from the controller if need be.
    pub fn open(&self, host: &Host) -> Result<Box<dyn Read + Send>> {
        match self {
            Self::Inline(content) => Ok(Box::new(io::Cursor::new(content.clone()))),
            Self::Remote { hash, .. } => {
                let open = || File::open(host.blobs().fetch(*hash)?);
                let file = open()
                    .map_err(|e| ModuleError::new(format!("could not get the content of the file: {e}")))?;
                Ok(Box::new(file))
            }
        }
    }

    /// The whole content in memory; for text that has to be looked at.
    pub fn read(&self, host: &Host) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        self.open(host)?.read_to_end(&mut content).map_err(|e| ModuleError::new(e.to_string()))?;
        Ok(content)
    }

    /// As an argument of a step: a string if it is text, else base64, else by hash.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Inline(content) => match std::str::from_utf8(content) {
                Ok(text) => text.into(),
                Err(_) => {
                    use base64::Engine as _;
                    serde_json::json!({"$base64": base64::engine::general_purpose::STANDARD.encode(content)})
                }
            },
            Self::Remote { hash, size } => serde_json::json!({"$blob": hash.to_string(), "size": size}),
        }
    }
}

impl ArgType for Blob {
    const KIND: &'static str = "raw";

    fn coerce(value: Value) -> Result<Self, String> {
        use base64::Engine as _;
        match value {
            Value::String(text) => Ok(Self::Inline(text.into_bytes())),
            Value::Object(map) => {
                if let Some(text) = map.get("$base64").and_then(Value::as_str) {
                    let content = base64::engine::general_purpose::STANDARD.decode(text);
                    return content.map(Self::Inline).map_err(|e| e.to_string());
                }
                let hash = map.get("$blob").and_then(Value::as_str).and_then(Hash::from_hex);
                match (hash, map.get("size").and_then(Value::as_u64)) {
                    (Some(hash), Some(size)) => Ok(Self::Remote { hash, size }),
                    // A dictionary given as content is written as JSON, as Ansible does.
                    _ => Ok(Self::Inline(Value::Object(map).to_string().into_bytes())),
                }
            }
            other => String::coerce(other).map(|text| Self::Inline(text.into_bytes())),
        }
    }
}
