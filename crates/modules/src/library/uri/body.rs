//! The body of a request in its formats.

use crate::args::{ArgType, type_name};
use crate::http::{encode_field, nonce};
use crate::{Blob, Host, Map, ModuleError, Result, Value, fail};

pub struct Encoded {
    pub bytes: Vec<u8>,
    pub content_type: Option<String>,
    /// The type cannot be another.
    pub fixed: bool,
}

pub fn encode(body: &Value, format: &str, host: &Host) -> Result<Encoded> {
    let made =
        |bytes: Vec<u8>, kind: &str| Encoded { bytes, content_type: Some(kind.to_owned()), fixed: false };
    match (format, body) {
        ("json", Value::String(text)) => Ok(made(text.clone().into_bytes(), "application/json")),
        ("json", value) => Ok(made(python_json(value).into_bytes(), "application/json")),
        ("form-urlencoded", body) => Ok(made(form(body)?.into_bytes(), "application/x-www-form-urlencoded")),
        ("form-multipart", Value::Object(fields)) => multipart(fields, host),
        ("form-multipart", other) => {
            let kind = type_name(other);
            Err(fail!("failed to parse body as form-multipart: Mapping is required, cannot be type {kind}"))
        }
        (_, value @ (Value::Array(_) | Value::Object(_))) => {
            let kind = type_name(value);
            Err(fail!("body is a {kind}, which body_format=raw cannot send; body_format=json can"))
        }
        (_, value) => {
            let text = String::coerce(value.clone()).map_err(ModuleError::new)?;
            Ok(Encoded { bytes: text.into_bytes(), content_type: None, fixed: false })
        }
    }
}

/// A dictionary (lists in it are several fields of one name) or a list of pairs. What is null is left out.
fn form(body: &Value) -> Result<String> {
    let text = |value: &Value| String::coerce(value.clone()).map_err(ModuleError::new);
    let bad = |why: &str| fail!("failed to parse body as form_urlencoded: {why}");
    let pairs: Vec<(String, Value)> = match body {
        Value::String(text) => return Ok(text.clone()),
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        Value::Array(items) => {
            items.iter().map(|item| pair(item).map_err(|why| bad(&why))).collect::<Result<_>>()?
        }
        _ => return Err(bad("cannot form-urlencode body, expect list or dict")),
    };
    let mut fields = Vec::new();
    for (name, value) in pairs {
        let values = match value {
            Value::Array(items) => items,
            Value::Object(map) => map.into_iter().map(|(key, _)| Value::String(key)).collect(),
            value => vec![value],
        };
        for value in values.iter().filter(|value| !value.is_null()) {
            fields.push(format!("{}={}", encode_field(&name), encode_field(&text(value)?)));
        }
    }
    Ok(fields.join("&"))
}

/// Two parts of an entry, as Python takes them apart.
fn pair(entry: &Value) -> Result<(String, Value), String> {
    let mut parts = match entry {
        Value::Array(items) => items.clone(),
        Value::String(text) => text.chars().map(|c| c.to_string().into()).collect(),
        Value::Object(map) => map.keys().map(|key| key.clone().into()).collect(),
        other => return Err(format!("cannot unpack non-iterable {} object", type_name(other))),
    };
    match (parts.len(), parts.pop(), parts.pop()) {
        (2, Some(value), Some(name)) => Ok((String::coerce(name)?, value)),
        (count @ 0..2, ..) => Err(format!("not enough values to unpack (expected 2, got {count})")),
        _ => Err("too many values to unpack (expected 2)".to_owned()),
    }
}

/// RFC 7578. A field is a text or a dictionary with `content` or `filename`, and `mime_type`.
fn multipart(fields: &Map, host: &Host) -> Result<Encoded> {
    use base64::Engine as _;
    let boundary = nonce().map_err(|e| fail!("no random numbers: {e}"))?;
    let mut bytes = Vec::new();
    let mut names: Vec<&String> = fields.keys().collect();
    names.sort();
    for name in names {
        let mut part = Part { kind: "text/plain".to_owned(), ..Part::default() };
        match &fields[name.as_str()] {
            Value::Object(map) => {
                let word = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
                let filename = word("filename");
                let guessed = || filename.as_deref().map_or("application/octet-stream", guess).to_owned();
                part.kind = word("mime_type").unwrap_or_else(guessed);
                let from_file = map.get("_file") == Some(&true.into()) || !map.contains_key("content");
                part.content = match (map.get("content"), &filename) {
                    (Some(content), _) => {
                        Blob::coerce(content.clone()).map_err(ModuleError::new)?.read(host)?
                    }
                    (None, Some(path)) => std::fs::read(host.path(path)).map_err(|e| {
                        fail!(
                            "failed to parse body as form-multipart: {}",
                            crate::files::errno_text(&e, None)
                        )
                    })?,
                    (None, None) => {
                        let msg = "failed to parse body as form-multipart: at least one of filename or content must be provided";
                        return Err(ModuleError::new(msg));
                    }
                };
                if from_file {
                    match word("multipart_encoding").as_deref().unwrap_or("base64") {
                        "base64" => {
                            let text = base64::engine::general_purpose::STANDARD.encode(&part.content);
                            let lines = text.as_bytes().chunks(76);
                            part.content = lines.flat_map(|l| [l, b"\r\n"].concat()).collect();
                            part.encoding = Some("base64");
                        }
                        "7or8bit" => {
                            part.encoding = Some(if part.content.is_ascii() { "7bit" } else { "8bit" });
                        }
                        other => {
                            return Err(fail!(
                                "multipart_encoding must be one of 7or8bit, base64, got: {other}"
                            ));
                        }
                    }
                }
                part.filename = filename;
            }
            Value::String(text) => part.content = text.clone().into_bytes(),
            other => {
                let why = format!("value must be a string, or mapping, cannot be type {}", type_name(other));
                return Err(fail!("failed to parse body as form-multipart: {why}"));
            }
        }
        if part.encoding != Some("base64") {
            part.content = with_crlf(&part.content);
        }
        part.write(name, &boundary, &mut bytes);
    }
    bytes.extend(format!("--{boundary}--\r\n").bytes());
    let kind = format!("multipart/form-data; boundary={boundary}");
    Ok(Encoded { bytes, content_type: Some(kind), fixed: true })
}

/// Every line's end as mail has it, which is what Ansible sends.
fn with_crlf(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'\r' {
            bytes.next_if_eq(&b'\n');
        }
        match byte {
            b'\r' | b'\n' => out.extend(b"\r\n"),
            other => out.push(other),
        }
    }
    out
}

#[derive(Default)]
struct Part {
    kind: String,
    encoding: Option<&'static str>,
    filename: Option<String>,
    content: Vec<u8>,
}

impl Part {
    fn write(&self, name: &str, boundary: &str, out: &mut Vec<u8>) {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\r', '\n'], " ");
        let mut head = format!("--{boundary}\r\n");
        if let Some(encoding) = self.encoding {
            head.push_str(&format!("Content-Transfer-Encoding: {encoding}\r\n"));
        }
        head.push_str(&format!("Content-Type: {}\r\n", self.kind.replace(['\r', '\n'], " ")));
        head.push_str(&format!("Content-Disposition: form-data; name=\"{}\"", quoted(name)));
        if let Some(filename) = &self.filename {
            let base = filename.rsplit('/').next().unwrap_or_default();
            head.push_str(&format!("; filename=\"{}\"", quoted(base)));
        }
        head.push_str("\r\n\r\n");
        out.extend(head.bytes());
        out.extend(&self.content);
        out.extend(b"\r\n");
    }
}

/// The type of a file by its name.
fn guess(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, end)| end).to_lowercase().as_str() {
        "txt" | "text" | "log" | "conf" | "c" | "h" => "text/plain",
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "csv" => "text/csv",
        "xml" => "text/xml",
        "py" => "text/x-python",
        "js" => "text/javascript",
        "json" => "application/json",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "tar" | "tgz" => "application/x-tar",
        "sh" => "application/x-sh",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// JSON as Python's `json.dumps` writes it: with blanks, in ASCII.
pub fn python_json(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(python_json).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let pairs =
                map.iter().map(|(k, v)| format!("{}: {}", python_json(&k.as_str().into()), python_json(v)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        Value::String(_) => {
            let mut out = String::new();
            for c in value.to_string().chars() {
                if c.is_ascii() {
                    out.push(c);
                } else {
                    let mut units = [0; 2];
                    for unit in c.encode_utf16(&mut units) {
                        out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
            }
            out
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    // Recorded from Python.
    #[test]
    fn json_as_python_writes_it() {
        let value = json!({"a": [1, 2.5, true, null, {}], "ä\n\"": "😀"});
        let expected = r#"{"a": [1, 2.5, true, null, {}], "\u00e4\n\"": "\ud83d\ude00"}"#;
        assert_eq!(python_json(&value), expected);
    }
}
