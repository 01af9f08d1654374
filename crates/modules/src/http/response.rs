//! Answers: status, headers, body.

use std::io::{self, BufRead, BufReader, Read};

use flate2::read::MultiGzDecoder;

use super::Url;
use super::wire::Wire;

pub struct Response {
    pub status: u16,
    /// `Not Found`, or more where redirects went wrong.
    pub reason: String,
    /// Names in small letters, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// Where it came from, after redirects.
    pub url: Url,
    pub body: Box<dyn Read + Send>,
    /// What the whole exchange set, the latest last.
    pub cookies: Vec<(String, String)>,
}

impl Response {
    /// All values of a header, joined.
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self.values(name).collect();
        if values.is_empty() { None } else { Some(values.join(", ")) }
    }

    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// `OK (6 bytes)` or `HTTP Error 404: Not Found`.
    pub fn message(&self) -> String {
        if self.is_success() {
            return format!("OK ({} bytes)", self.header("content-length").unwrap_or("unknown".into()));
        }
        format!("HTTP Error {}: {}", self.status, self.reason)
    }

    /// The file name that the server proposes, without directories.
    pub fn file_name(&self) -> String {
        self.given_name().unwrap_or_else(|| self.url.file_name())
    }

    fn given_name(&self) -> Option<String> {
        let header = self.header("content-disposition")?;
        let found = header.split(';').skip(1).find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("filename").then(|| value.trim().trim_matches('"').to_owned())
        })?;
        let name = found.rsplit('/').next().unwrap_or_default();
        if matches!(name, "" | "." | "..") { None } else { Some(name.to_owned()) }
    }
}

/// Why there is no answer: Ansible's words.
pub type Failure = String;

/// Read the head and give a reader over the body.
pub fn read(wire: Box<dyn Wire>, method: &str, url: &Url, decompress: bool) -> Result<Response, Failure> {
    let mut wire = BufReader::new(wire);
    loop {
        let head = head(&mut wire)?;
        let mut space = [httparse::EMPTY_HEADER; 128];
        let mut parsed = httparse::Response::new(&mut space);
        let line =
            || String::from_utf8_lossy(head.split(|b| *b == b'\n').next().unwrap_or_default()).into_owned();
        // Servers that end the head's lines wrongly or send odd names are understood like elsewhere.
        let mut config = httparse::ParserConfig::default();
        config
            .allow_spaces_after_header_name_in_responses(true)
            .allow_obsolete_multiline_headers_in_responses(true)
            .ignore_invalid_headers_in_responses(true);
        match config.parse_response(&mut parsed, &head) {
            Ok(httparse::Status::Complete(_)) => {}
            _ => {
                let line = line();
                let line = line.trim_end_matches('\r');
                return Err(format!(
                    "Connection failure: connection was closed before a valid response was received: {line}\r\n"
                ));
            }
        }
        let status = parsed.code.unwrap_or_default();
        if (100..200).contains(&status) && status != 101 {
            continue;
        }
        let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
            Ok(text) => text.trim().to_owned(),
            // Latin 1, as HTTP once said.
            Err(_) => bytes.iter().map(|b| char::from(*b)).collect::<String>().trim().to_owned(),
        };
        let headers: Vec<(String, String)> =
            parsed.headers.iter().map(|h| (h.name.to_ascii_lowercase(), text(h.value))).collect();
        let mut response = Response {
            status,
            reason: parsed.reason.unwrap_or_default().to_owned(),
            headers,
            url: url.clone(),
            body: Box::new(io::empty()),
            cookies: Vec::new(),
        };
        if method == "HEAD" || matches!(status, 204 | 304) {
            return Ok(response);
        }
        let chunked = response.header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked"));
        let length = response.header("content-length").and_then(|v| v.parse().ok());
        let body: Box<dyn Read + Send> = match (chunked, length) {
            (true, _) => Box::new(Chunked { wire, left: 0, done: false, first: true }),
            (false, Some(length)) => Box::new(Sized { wire, read: 0, length }),
            (false, None) => Box::new(wire),
        };
        let zipped = response.header("content-encoding").is_some_and(|v| v.eq_ignore_ascii_case("gzip"));
        response.body = if decompress && zipped { Box::new(MultiGzDecoder::new(body)) } else { body };
        return Ok(response);
    }
}

fn head(wire: &mut impl BufRead) -> Result<Vec<u8>, Failure> {
    let mut head = Vec::new();
    loop {
        let before = head.len();
        let read = wire.take(65537).read_until(b'\n', &mut head).map_err(|e| super::io_failure(&e))?;
        if read == 0 && head.is_empty() {
            return Err("Connection failure: Remote end closed connection without response".to_owned());
        }
        let line = &head[before..];
        if before == 0 && !line.starts_with(b"HTTP/") || read == 0 || line == b"\r\n" || line == b"\n" {
            return Ok(head);
        }
        if head.len() > 1 << 20 {
            return Err("Connection failure: the head of the response is too long".to_owned());
        }
    }
}

/// A body whose length is known; ending early is an error with Python's words.
struct Sized<R> {
    wire: R,
    read: u64,
    length: u64,
}

impl<R: Read> Read for Sized<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length - self.read;
        if left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let n = self.wire.read(&mut buffer[..wanted])?;
        if n == 0 {
            let text = format!("IncompleteRead({} bytes read, {left} more expected)", self.read);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
        }
        self.read += n as u64;
        Ok(n)
    }
}

/// RFC 9112, 7.1.
struct Chunked<R> {
    wire: R,
    left: u64,
    done: bool,
    first: bool,
}

impl<R: BufRead> Chunked<R> {
    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        (&mut self.wire).take(8192).read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "IncompleteRead: a chunk is missing"));
        }
        Ok(String::from_utf8_lossy(&line).trim().to_owned())
    }
}

impl<R: BufRead> Read for Chunked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.done || buffer.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            if !self.first && !self.line()?.is_empty() {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a chunk is longer than it says"));
            }
            self.first = false;
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or_default().trim();
            self.left = u64::from_str_radix(size, 16)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a chunk has no size"))?;
            if self.left == 0 {
                self.done = true;
                while self.line().is_ok_and(|trailer| !trailer.is_empty()) {}
                return Ok(0);
            }
        }
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let n = self.wire.read(&mut buffer[..wanted])?;
        if n == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "IncompleteRead: a chunk is too short"));
        }
        self.left -= n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunked(text: &str) -> io::Result<String> {
        let mut out = String::new();
        Chunked { wire: text.as_bytes(), left: 0, done: false, first: true }.read_to_string(&mut out)?;
        Ok(out)
    }

    #[test]
    fn chunks() {
        assert_eq!(chunked("5\r\nhello\r\n1;a=b\r\n!\r\n0\r\nX: y\r\n\r\n").unwrap(), "hello!");
        assert!(chunked("5\r\nhell").is_err());
        assert!(chunked("5\r\nhello world\r\n0\r\n\r\n").is_err());
        assert!(chunked("zz\r\n").is_err());
        assert!(chunked("").is_err());
    }
}
