//! The text around an encrypted one: a header line, then the payload in hexadecimal digits, 80 to a line.

use crate::error::ErrorKind;
use crate::{Error, Result};

const HEADER: &[u8] = b"$ANSIBLE_VAULT";
const WIDTH: usize = 80;

#[derive(Debug)]
pub(super) struct Envelope {
    /// The vault id that format 1.2 names.
    pub id: Option<String>,
    pub salt: Vec<u8>,
    pub hmac: Vec<u8>,
    pub ciphertext: Vec<u8>,
}

/// Is this the text of a vault?
pub fn is_encrypted(text: &[u8]) -> bool {
    text.starts_with(HEADER) && text.is_ascii()
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(message).with_kind(ErrorKind::Syntax)
}

impl Envelope {
    pub fn parse(text: &[u8]) -> Result<Self> {
        if !is_encrypted(text) {
            return Err(wrong("Input is not vault encrypted data"));
        }
        let text = std::str::from_utf8(text).map_err(|_| wrong("Input is not vault encrypted data"))?;
        let mut lines = text.lines().map(str::trim);
        let header: Vec<&str> = lines.next().unwrap_or_default().split(';').map(str::trim).collect();
        let (version, cipher) = match header.as_slice() {
            [_, version, cipher, ..] => (*version, *cipher),
            _ => return Err(wrong("Vault envelope format error: the header has no version and cipher")),
        };
        if !matches!(version, "1.1" | "1.2") {
            return Err(wrong(format!("Vault envelope format error: version '{version}' is not 1.1 or 1.2")));
        }
        if cipher != "AES256" {
            return Err(wrong(format!("Cipher '{cipher}' could not be found")));
        }
        let id = header.get(3).filter(|id| version == "1.2" && !id.is_empty()).map(|id| (*id).to_owned());
        let payload = unhex(lines.collect::<String>().as_bytes())?;
        let mut parts = payload.splitn(3, |b| *b == b'\n');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(salt), Some(hmac), Some(ciphertext)) => {
                Ok(Self { id, salt: unhex(salt)?, hmac: unhex(hmac)?, ciphertext: unhex(ciphertext)? })
            }
            _ => Err(wrong("Vault vaulttext format error: salt, signature and text were expected")),
        }
    }

    pub fn write(&self) -> String {
        let payload =
            [hex::encode(&self.salt), hex::encode(&self.hmac), hex::encode(&self.ciphertext)].join("\n");
        let digits = hex::encode(payload);
        let mut text = match &self.id {
            Some(id) => format!("$ANSIBLE_VAULT;1.2;AES256;{id}\n"),
            None => "$ANSIBLE_VAULT;1.1;AES256\n".to_owned(),
        };
        for line in digits.as_bytes().chunks(WIDTH) {
            text.extend(line.iter().copied().map(char::from));
            text.push('\n');
        }
        text
    }
}

fn unhex(digits: &[u8]) -> Result<Vec<u8>> {
    hex::decode(digits).map_err(|error| {
        let problem = match error {
            hex::FromHexError::OddLength => "Odd-length string",
            _ => "Non-hexadecimal digit found",
        };
        wrong(format!("Vault format unhexlify error: {problem}"))
    })
}
