//! `checksum`: what the file has to have, given or from a list on a server.

use std::fs;

use super::download::{Answer, Fetch};
use crate::files::Algorithm;
use crate::http::Url;
use crate::{ModuleError, fail};

pub struct Wanted {
    pub algorithm: Algorithm,
    /// In small letters.
    pub digest: String,
}

pub enum Wrong {
    Format(String),
    Source(ModuleError),
}

pub fn wanted(text: &str, fetch: &Fetch<'_>) -> Result<Wanted, Wrong> {
    let (algorithm, value) = text.split_once(':').ok_or_else(|| {
        Wrong::Format("The checksum parameter has to be in format <algorithm>:<checksum>".into())
    })?;
    let value = value.trim();
    let is_url = ["http://", "https://", "ftp://", "file://"].iter().any(|s| value.starts_with(s));
    let digest = if is_url { from_list(value, fetch).map_err(Wrong::Source)? } else { value.to_owned() };
    let digest: String = digest.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
    let digest = digest.to_lowercase();
    if digest.is_empty() || !digest.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(Wrong::Format("The checksum format is invalid".into()));
    }
    let algorithm = Algorithm::from_word(&algorithm.trim().to_lowercase())
        .ok_or_else(|| Wrong::Source(fail!("Could not hash file with algorithm '{algorithm}'.")))?;
    Ok(Wanted { algorithm, digest })
}

fn from_list(url: &str, fetch: &Fetch<'_>) -> Result<String, ModuleError> {
    let Answer::File(list) = fetch.fetch(url, "GET", None)? else {
        return Err(fail!("Unable to find a checksum in '{url}'"));
    };
    let text = fs::read_to_string(list.file.path())
        .map_err(|e| fail!("could not read the list of checksums '{url}': {e}"))?;
    let name = Url::parse(&fetch.args.url).map_or_else(|| "index.html".to_owned(), |url| url.file_name());
    let lines: Vec<Vec<&str>> =
        text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>()).filter(|w| !w.is_empty()).collect();
    if let [line] = &lines[..]
        && let [digest] = line[..]
    {
        return Ok(digest.to_owned());
    }
    let found = lines.iter().find_map(|words| match words[..] {
        // A star marks binary files.
        [digest, file] => {
            let file = file.trim_start_matches('*').trim_start_matches("./");
            (file == name || file.ends_with(&format!("/{name}"))).then(|| digest.to_owned())
        }
        // As BSD prints them: SHA256 (file) = digest.
        [_, file, "=", digest] => (file == format!("({name})")).then(|| digest.to_owned()),
        _ => None,
    });
    found.ok_or_else(|| fail!("Unable to find a checksum for file '{name}' in '{url}'"))
}
