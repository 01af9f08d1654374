//! `apt_key`: keys in the keyrings of apt, by `apt-key` as long as the host has it.

use std::io::Read;

use crate::args::Expanded;
use crate::http::{self, Options, Request};
use crate::system::program::{self, process};
use crate::{
    Applied, Effects, Host, Map, Module, ModuleError, Plan, Process, ProcessOutput, Resource, Result, args,
    fail, json, result,
};

args! {
    pub struct AptKeyArgs {
        /// The identifier of the key. With it, check mode knows whether the key is there already.
        id: Option<String>;
        /// Where to download the key.
        url: Option<String>;
        /// The key itself, armored.
        data: Option<String>;
        /// A file of the host with the key.
        file: Option<Expanded>;
        /// A file in `/etc/apt/trusted.gpg.d` to keep the key in.
        keyring: Option<Expanded>;
        /// Refuse servers whose certificate is not signed by an authority that the host knows.
        validate_certs: bool = default("yes");
        /// The server to ask for the key.
        keyserver: Option<String>;
        /// Whether the key should be there.
        state: String = choices(&["absent", "present"]), default("present");
    }
    checks { mutually_exclusive(&["data", "file", "keyserver", "url"]) }
}

pub struct AptKey;

impl Module for AptKey {
    type Args = AptKeyArgs;
    const NAME: &'static str = "apt_key";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Add and remove keys of apt, where the host still has apt-key.";

    fn effects(args: &AptKeyArgs) -> Effects {
        let effects = Effects::writes([Resource::Path("/etc/apt".into())]);
        let effects = args.keyring.iter().fold(effects, |e, k| e.and_writes(Resource::Path(k.0.clone())));
        let effects = args.file.iter().fold(effects, |e, f| e.and_reads(Resource::Path(f.0.clone())));
        if args.url.is_some() || args.keyserver.is_some() { effects.outside() } else { effects }
    }

    fn plan(args: AptKeyArgs, host: &Host) -> Result<Plan> {
        program::required(host, "apt-key")?;
        program::required(host, "gpg")?;
        let mut source = source(&args);
        let given = args.id.clone().filter(|id| !id.is_empty());
        let id = match &given {
            Some(id) => Some(id.clone()),
            None => {
                if matches!(source, Source::Server(_)) {
                    return Err(fail!("Missing key_id, required with keyserver."));
                }
                if let Source::Url(url) = &source {
                    source = Source::Data(download(host, url, args.validate_certs)?);
                }
                first_key(host, &source)?
            }
        };
        let mut result = result! {"id": id};
        let Some(id) = id.as_deref().and_then(Id::parse) else {
            return Err(with(fail!("Invalid key_id"), result));
        };
        result.extend(result! {"short_id": id.short(), "fp": id.long(), "key_id": id.0});
        let keyring = Keyring { file: args.keyring.map(|k| k.0), short: id.0.len() == 8 };
        let before = keyring.keys(host)?;
        result.insert("before".into(), json!(before));
        let present = args.state == "present";
        if before.iter().any(|key| key == id.long()) == present {
            return Ok(Plan::unchanged(result));
        }
        let mut told = result.clone();
        told.insert("changed".into(), true.into());
        Ok(Plan::change(result, move |host| {
            match (present, &source) {
                (false, _) => keyring.remove(host, id.short())?,
                (true, Source::Nothing) => {
                    return Err(with(fail!("No key to add ... how did i get here?!?!"), told));
                }
                (true, Source::File(path)) => keyring.add_file(host, path)?,
                (true, Source::Data(data)) => keyring.add(host, data)?,
                (true, Source::Url(url)) => keyring.add(host, &download(host, url, args.validate_certs)?)?,
                (true, Source::Server(server)) => keyring.receive(host, server, &id.0)?,
            }
            let after = keyring.keys(host)?;
            if after.iter().any(|key| key == id.long()) != present {
                let what = if present { "failed to add the key" } else { "the key was not removed" };
                told.insert("after".into(), json!(after));
                return Err(with(
                    fail!(
                        "apt-key did not return an error, but {what} (check that the id is correct and *not* a \
                         subkey)"
                    ),
                    told,
                ));
            }
            Applied::with(result! {"after": after})
        }))
    }
}

fn with(mut error: ModuleError, result: Map) -> ModuleError {
    error.result.extend(result);
    error
}

/// Where the key comes from.
enum Source {
    Nothing,
    File(String),
    Data(Vec<u8>),
    Url(String),
    Server(String),
}

fn source(args: &AptKeyArgs) -> Source {
    let text = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
    if let Some(file) = args.file.as_ref().filter(|f| !f.0.is_empty()) {
        return Source::File(file.0.clone());
    }
    if let Some(server) = text(&args.keyserver) {
        return Source::Server(server);
    }
    match (text(&args.data), text(&args.url)) {
        (Some(data), _) => Source::Data(data.into_bytes()),
        (None, Some(url)) => Source::Url(url),
        (None, None) => Source::Nothing,
    }
}

fn download(host: &Host, url: &str, validate_certs: bool) -> Result<Vec<u8>> {
    let shown = http::shown(url);
    let failed = |why: &str| fail!("Failed to download key at {shown}: {why}");
    let options = Options { validate_certs, ..Options::default() };
    let mut response = http::fetch(host, Request::get(url, options)).map_err(|e| failed(&e))?;
    if response.status != 200 {
        return Err(failed(&response.message()));
    }
    let mut data = Vec::new();
    match response.body.read_to_end(&mut data) {
        Ok(_) => Ok(data),
        Err(_) => Err(fail!("Error getting key id from url: {shown}")),
    }
}

/// The identifier of a key: 8, 16 or more hexadecimal digits.
struct Id(String);

impl Id {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.to_uppercase();
        let digits = digits.strip_prefix("0X").unwrap_or(&digits);
        let length = digits.len();
        let good = digits.bytes().all(|b| b.is_ascii_hexdigit()) && (length == 8 || length >= 16);
        good.then(|| Self(digits.to_owned()))
    }

    /// What `apt-key del` understands.
    fn short(&self) -> &str {
        &self.0[self.0.len() - 8..]
    }

    /// As keys are listed.
    fn long(&self) -> &str {
        &self.0[self.0.len().saturating_sub(16)..]
    }
}

/// The identifier of the first key of a file or of data.
fn first_key(host: &Host, source: &Source) -> Result<Option<String>> {
    let gpg = locale(process(host, "gpg")?.arg("--with-colons"));
    let (process, what) = match source {
        Source::File(path) => (gpg.arg(path), path.as_str()),
        Source::Data(data) if !data.is_empty() => (gpg.arg("-").stdin(data.clone()), "inline data"),
        _ => return Ok(None),
    };
    let said = program::run(host, &process)?;
    if !said.success() {
        return Err(fail!("Unable to extract key from '{what}'")
            .with("stdout", said.out())
            .with("stderr", said.err()));
    }
    Ok(listed(&said.out()).into_iter().next())
}

/// Keys of a listing, of apt-key (`pub   rsa4096/0123456789ABCDEF ...`) or of gpg with colons. Expired ones do not
/// count.
fn listed(text: &str) -> Vec<String> {
    let key = |line: &str| -> Option<String> {
        if !line.starts_with("pub") && !line.starts_with("sub") || line.contains("expired") {
            return None;
        }
        let word = line.split_whitespace().nth(1).and_then(|word| word.split_once('/'));
        let found = match word {
            Some((_, id)) if !id.contains('/') => id,
            _ => line.split(':').nth(4)?,
        };
        Some(found.to_owned())
    };
    text.lines().filter_map(key).collect()
}

const LOCALE: &str = "C.UTF-8";

fn locale(process: Process) -> Process {
    process.env("LC_MESSAGES", LOCALE).env("LANGUAGE", LOCALE)
}

struct Keyring {
    file: Option<String>,
    /// Only the last eight digits of identifiers count.
    short: bool,
}

impl Keyring {
    fn words(&self, words: &[&str]) -> Vec<String> {
        let file = self.file.iter().filter(|f| !f.is_empty());
        let file = file.flat_map(|file| ["--keyring".to_owned(), file.clone()]);
        file.chain(words.iter().map(|w| (*w).to_owned())).collect()
    }

    /// Run apt-key; failing, the outcome says what was run and what it said.
    fn run(&self, host: &Host, words: &[&str], input: &[u8], msg: &str) -> Result<ProcessOutput> {
        let words = self.words(words);
        let apt_key = program::required(host, "apt-key")?;
        let said = program::run(host, &Process::new(&apt_key).args(&words).stdin(input))?;
        if said.success() {
            return Ok(said);
        }
        Err(fail!("{msg}")
            .with("cmd", format!("{} {}", apt_key.display(), words.join(" ")))
            .with("rc", said.rc)
            .with("stdout", said.out())
            .with("stderr", said.err()))
    }

    fn keys(&self, host: &Host) -> Result<Vec<String>> {
        let words = ["adv", "--list-public-keys", "--keyid-format=long"];
        let said = self.run(host, &words, b"", "Unable to list public keys")?;
        let mut keys = listed(&said.out());
        if self.short {
            keys = keys.into_iter().map(|key| key[key.len().saturating_sub(8)..].to_owned()).collect();
        }
        Ok(keys)
    }

    fn add(&self, host: &Host, data: &[u8]) -> Result<()> {
        self.run(host, &["add", "-"], data, "Unable to add a key from binary data").map(drop)
    }

    fn add_file(&self, host: &Host, path: &str) -> Result<()> {
        let added = self.run(host, &["add", path], b"", &format!("Unable to add a key from file {path}"));
        added.map(drop).map_err(|e| e.with("keyfile", path))
    }

    fn remove(&self, host: &Host, id: &str) -> Result<()> {
        let removed = self.run(host, &["del", id], b"", &format!("Unable to remove a key with id {id}"));
        removed.map(drop).map_err(|e| e.with("key_id", id))
    }

    /// Ask a server, up to five times.
    fn receive(&self, host: &Host, server: &str, id: &str) -> Result<()> {
        let proxy = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
        let proxy = proxy.iter().find_map(|name| host.env(name).filter(|value| !value.is_empty()));
        let proxy = proxy.map(|proxy| format!("http-proxy={proxy}"));
        let mut words = vec!["adv", "--no-tty", "--keyserver", server];
        words.extend(proxy.iter().flat_map(|proxy| ["--keyserver-options", proxy.as_str()]));
        words.extend(["--recv", id]);
        let words = self.words(&words);
        let apt_key = program::required(host, "apt-key")?;
        let process = locale(Process::new(&apt_key).args(&words));
        let mut said = program::run(host, &process)?;
        for _ in 1..5 {
            if said.success() || host.is_cancelled() {
                break;
            }
            said = program::run(host, &process)?;
        }
        if said.success() {
            return Ok(());
        }
        let forced = json!({"LANG": LOCALE, "LC_ALL": LOCALE, "LC_MESSAGES": LOCALE, "LANGUAGE": LOCALE});
        let error = match said.rc == 2 && said.out().contains("not found on keyserver") {
            true => fail!("Key {id} not found on keyserver {server}"),
            false => fail!("Error fetching key {id} from keyserver: {server}")
                .with("rc", said.rc)
                .with("stdout", said.out())
                .with("stderr", said.err()),
        };
        let cmd = format!("{} {}", apt_key.display(), words.join(" "));
        Err(error.with("cmd", cmd).with("forced_environment", forced))
    }
}

#[cfg(test)]
mod tests {
    use super::{Id, listed};

    #[test]
    fn both_listings_are_read() {
        let apt = "pub   rsa4096/DC30D7C23CBBABEE 2012-01-01 [SC] [expired: 2020-01-01]\n\
                   pub   ed25519/0E98404D386FA1D9 2021-01-01 [SC]\nuid  x\nsub   cv25519/6ED0E7B82643E131 2021\n";
        assert_eq!(listed(apt), ["0E98404D386FA1D9", "6ED0E7B82643E131"]);
        assert_eq!(
            listed("pub:-:256:22:44465DE4D7CEDF57:1612915491:::-:\nuid:::::x\n"),
            ["44465DE4D7CEDF57"]
        );
    }

    #[test]
    fn identifiers_have_a_short_and_a_long_form() {
        let id = Id::parse("0x36a1d7869245c8950f966e92d8576a8ba88d21e9").unwrap();
        assert_eq!((id.short(), id.long()), ("A88D21E9", "D8576A8BA88D21E9"));
        assert_eq!(Id::parse("A88D21E9").unwrap().long(), "A88D21E9");
        assert!(Id::parse("A88D21E").is_none() && Id::parse("").is_none() && Id::parse("zzzzzzzz").is_none());
    }
}
