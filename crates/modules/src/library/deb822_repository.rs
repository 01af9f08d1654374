//! `deb822_repository`: sources of apt in the format of deb822, a file each.

use std::fs;
use std::io::Read;

use crate::args::Raw;
use crate::files::{FileAttrs, Replacement, add_path_info, errno_text, write_atomically};
use crate::http::{self, Options, Request, Url};
use crate::{Applied, Effects, Host, Map, Module, Plan, Resource, Result, Value, args, fail, result};

const SOURCES: &str = "/etc/apt/sources.list.d";
const KEYRINGS: &str = "/etc/apt/keyrings";

args! {
    pub struct Deb822RepositoryArgs {
        /// Allow packages that were authenticated before and are no longer.
        allow_downgrade_to_insecure: Option<bool>;
        /// Allow an insecure repository.
        allow_insecure: Option<bool>;
        /// Allow signatures with a weak digest.
        allow_weak: Option<bool>;
        /// Architectures to look for.
        architectures: Option<Vec<String>> = elements("str");
        /// Fetch indexes by their hash.
        by_hash: Option<bool>;
        /// Refuse a Release file that is not valid yet.
        check_date: Option<bool>;
        /// Refuse a Release file that is no longer valid.
        check_valid_until: Option<bool>;
        /// Components of the suites.
        components: Option<Vec<String>> = elements("str");
        /// How many seconds a repository may be in the future.
        date_max_future: Option<i64>;
        /// Whether the source counts.
        enabled: Option<bool>;
        /// Path of the InRelease file, relative to its normal one.
        inrelease_path: Option<String>;
        /// Languages of descriptions.
        languages: Option<Vec<String>> = elements("str");
        /// Name of the repository, from which the name of its file is made.
        name: String = required();
        /// Use PDiffs.
        pdiffs: Option<bool>;
        /// The key: an address, a file of the host, fingerprints or the armored key itself.
        signed_by: Option<String>;
        /// Suites, or a path that ends with a slash.
        suites: Option<Vec<String>> = elements("str");
        /// What to download.
        targets: Option<Vec<String>> = elements("str");
        /// Take the source as trusted, or never.
        trusted: Option<bool>;
        /// Kinds of packages.
        types: Vec<String> = choices(&["deb", "deb-src"]), default("deb"), elements("str");
        /// Addresses of the archive.
        uris: Option<Vec<String>> = elements("str");
        /// Mode of the file.
        mode: Raw = default("0644");
        /// Whether the source should be there.
        state: String = choices(&["absent", "present"]), default("present");
    }
}

pub struct Deb822Repository;

impl Module for Deb822Repository {
    type Args = Deb822RepositoryArgs;
    const NAME: &'static str = "deb822_repository";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Add and remove sources of apt in the format of deb822.";

    fn effects(args: &Deb822RepositoryArgs) -> Effects {
        let effects = Effects::writes([Resource::Path("/etc/apt".into())]);
        match args.signed_by.as_deref().map(|key| (is_address(key), key)) {
            Some((true, _)) => effects.outside(),
            Some((false, file)) if file.starts_with('/') => effects.and_reads(Resource::Path(file.into())),
            _ => effects,
        }
    }

    fn plan(args: Deb822RepositoryArgs, host: &Host) -> Result<Plan> {
        let name = file_name(&args.name);
        let dest = format!("{SOURCES}/{name}.sources");
        if args.state == "absent" {
            return Ok(remove(&name, dest, host));
        }
        let key = match &args.signed_by {
            Some(key) => Some(signed_by(key, &name, host)?),
            None => None,
        };
        let repo = text(&args, key.as_ref());
        let keeps = |path: &str, content: &[u8]| fs::read(host.path(path)).is_ok_and(|old| old == content);
        let attrs = FileAttrs::with_mode(Some(args.mode));
        let write_repo = !keeps(&dest, repo.as_bytes());
        let there = host.path(&dest).exists();
        let mode = if there { attrs.plan(host, &dest)? } else { attrs.plan_new(host, &dest)? };
        let filename = key.as_ref().and_then(|key| key.file.clone());
        let result = result! {"repo": repo, "dest": dest, "key_filename": filename};
        let download = key.and_then(|key| Some((key.file?, key.content?)));
        let write_key = download.as_ref().is_some_and(|(path, content)| !keeps(path, content));
        let key_attrs = FileAttrs::with_mode(Some(Raw("0644".into())));
        let key_mode = match &download {
            Some((path, _)) if !write_key => Some(key_attrs.plan(host, path)?).filter(|m| !m.is_empty()),
            _ => None,
        };
        if !write_repo && mode.is_empty() && !write_key && key_mode.is_none() {
            return Ok(Plan::unchanged(with_info(result, host)));
        }
        let check = Some(with_info(result.clone(), host));
        let plan = Plan::change(result.clone(), move |host| {
            if let Some((path, content)) = download.filter(|_| write_key) {
                keyrings(host)?;
                replace(host, &path, &key_attrs, &content)?;
            }
            if let Some(mode) = key_mode {
                mode.apply(host)?;
            }
            match write_repo {
                true => replace(host, &dest, &attrs, repo.as_bytes())?,
                false => mode.apply(host)?,
            }
            Applied::with(with_info(result, host))
        });
        Ok(Plan { check, ..plan })
    }
}

/// With what is there under the name of the file.
fn with_info(mut result: Map, host: &Host) -> Map {
    add_path_info(host, &mut result);
    result
}

fn replace(host: &Host, path: &str, attrs: &FileAttrs, mut content: &[u8]) -> Result<()> {
    write_atomically(host, &Replacement { path, attrs, new_mode: None, instead: None }, &mut content)
}

/// The directory of keys, for everybody to read.
fn keyrings(host: &Host) -> Result<()> {
    let path = host.path(KEYRINGS);
    if !path.is_dir() {
        fs::create_dir(&path).map_err(|e| fail!("could not make {KEYRINGS}: {}", errno_text(&e, None)))?;
    }
    let attrs = FileAttrs {
        owner: Some("root".into()),
        group: Some("root".into()),
        ..FileAttrs::with_mode(Some(Raw("0755".into())))
    };
    attrs.apply(host, KEYRINGS).map(drop)
}

/// The source and the key that was downloaded for it go.
fn remove(name: &str, dest: String, host: &Host) -> Plan {
    let keys = ["asc", "gpg"].map(|end| format!("{KEYRINGS}/{name}.{end}"));
    let result = result! {"repo": Value::Null, "dest": dest, "key_filename": keys[1]};
    let mut gone = vec![dest];
    gone.extend(keys);
    gone.retain(|path| host.path(path).exists());
    if gone.is_empty() {
        return Plan::unchanged(result);
    }
    let check = Some(with_info(result.clone(), host));
    let plan = Plan::change(result, move |host| {
        for path in &gone {
            fs::remove_file(host.path(path))
                .map_err(|e| fail!("could not remove {path}: {}", errno_text(&e, None)))?;
        }
        Applied::done()
    });
    Plan { check, ..plan }
}

/// Small letters, digits and hyphens; blanks and underscores are hyphens, all else goes.
fn file_name(name: &str) -> String {
    let mut file = String::new();
    let mut blank = false;
    for c in name.to_lowercase().chars() {
        match c {
            '_' => blank = true,
            c if c.is_whitespace() => blank = true,
            c => {
                if std::mem::take(&mut blank) {
                    file.push('-');
                }
                file.extend(Some(c).filter(|c| matches!(c, 'a'..='z' | '0'..='9' | '-')));
            }
        }
    }
    if blank {
        file.push('-');
    }
    file
}

/// The key of a source.
struct Key {
    /// The file it is in, or is to be in.
    file: Option<String>,
    /// What was downloaded for it.
    content: Option<Vec<u8>>,
    /// The argument, where that is the key itself.
    inline: Option<String>,
}

fn is_address(text: &str) -> bool {
    let scheme = text.trim_start().split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

fn signed_by(key: &str, name: &str, host: &Host) -> Result<Key> {
    if host.path(key).is_file() {
        return Ok(Key { file: Some(key.to_owned()), content: None, inline: None });
    }
    if !is_address(key) {
        return Ok(Key { file: None, content: None, inline: Some(key.to_owned()) });
    }
    let content = download(host, key).map_err(|why| {
        fail!("Could not fetch signed_by key: {}", why.trim_start_matches("Request failed: "))
    })?;
    if content.is_empty() {
        return Ok(Key { file: Some(key.to_owned()), content: None, inline: None });
    }
    let armor = b"-----BEGIN PGP PUBLIC KEY BLOCK-----";
    let armored = memchr::memmem::find(&content, armor).is_some();
    let end = if armored { "asc" } else { "gpg" };
    Ok(Key { file: Some(format!("{KEYRINGS}/{name}.{end}")), content: Some(content), inline: None })
}

/// The error is a sentence of urllib's.
fn download(host: &Host, address: &str) -> Result<Vec<u8>, String> {
    if let Some(path) = address.strip_prefix("file://") {
        let path = http::decode(path);
        return fs::read(host.path(&path)).map_err(|e| format!("<urlopen error {}>", errno_text(&e, None)));
    }
    if Url::parse(address).is_none_or(|url| !matches!(url.scheme.as_str(), "http" | "https")) {
        let scheme = address.split(':').next().unwrap_or_default();
        return Err(format!("<urlopen error unknown url type: {}>", scheme.to_lowercase()));
    }
    let mut response = http::fetch(host, Request::get(address, Options::default()))?;
    if !response.is_success() {
        return Err(response.message());
    }
    let mut content = Vec::new();
    response.body.read_to_end(&mut content).map_err(|e| errno_text(&e, None))?;
    Ok(content)
}

/// The file: fields in the order of the arguments' names.
fn text(args: &Deb822RepositoryArgs, key: Option<&Key>) -> String {
    let flag = |value: Option<bool>| value.map(|yes| if yes { "yes" } else { "no" }.to_owned());
    let list = |value: &Option<Vec<String>>| value.as_ref().map(|words| words.join(" "));
    let fields = [
        ("Allow-Downgrade-To-Insecure", flag(args.allow_downgrade_to_insecure)),
        ("Allow-Insecure", flag(args.allow_insecure)),
        ("Allow-Weak", flag(args.allow_weak)),
        ("Architectures", list(&args.architectures)),
        ("By-Hash", flag(args.by_hash)),
        ("Check-Date", flag(args.check_date)),
        ("Check-Valid-Until", flag(args.check_valid_until)),
        ("Components", list(&args.components)),
        ("Date-Max-Future", args.date_max_future.map(|seconds| seconds.to_string())),
        ("Enabled", flag(args.enabled)),
        ("Inrelease-Path", args.inrelease_path.clone()),
        ("Languages", list(&args.languages)),
        ("X-Repolib-Name", Some(args.name.clone())),
        ("Pdiffs", flag(args.pdiffs)),
        ("Signed-By", key.and_then(|key| key.file.clone().or_else(|| key.inline.clone()))),
        ("Suites", list(&args.suites)),
        ("Targets", list(&args.targets)),
        ("Trusted", flag(args.trusted)),
        ("Types", Some(args.types.join(" "))),
        ("URIs", list(&args.uris)),
    ];
    let field = |(name, value): (&str, Option<String>)| {
        let value = value?;
        if value.is_empty() {
            return Some(format!("{name}:\n"));
        }
        if !value.contains('\n') {
            return Some(format!("{name}: {value}\n"));
        }
        let mut block = format!("{name}:\n");
        for line in value.trim().lines().map(str::trim) {
            block.push_str("    ");
            block.push_str(if line.is_empty() { "." } else { line });
            block.push('\n');
        }
        Some(block)
    };
    fields.into_iter().filter_map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::{file_name, is_address};

    #[test]
    fn names_become_those_of_files() {
        assert_eq!(file_name("ansible-test focal archive"), "ansible-test-focal-archive");
        assert_eq!(file_name("My _Repo (é) 2 "), "my-repo--2-");
    }

    #[test]
    fn only_what_has_a_scheme_is_an_address() {
        assert!(is_address("https://example.org/key.gpg"));
        assert!(!is_address("-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: x\n"));
        assert!(!is_address("ABCD EF01") && !is_address("/etc/apt/keyrings/x:y.gpg"));
    }
}
