//! Lookups of variables, the environment, processes, passwords and configuration.

use std::path::Path;
use std::rc::Rc;

use super::{Entry, controller, flattened_terms, texts};
use crate::Map;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::finalize::finalize;
use crate::template::eval::{iterate, ops};
use crate::template::filters::expand_user;
use crate::template::object::{Fail, R, Undef, V};
use crate::template::regex::{self, Flags};
use crate::template::{random, repr};

pub(super) const LOOKUPS: &[Entry] = &[
    ("config", config),
    ("env", env_var),
    ("inventory_hostnames", inventory_hostnames),
    ("lines", lines),
    ("password", password),
    ("pipe", pipe),
    ("url", url),
    ("varnames", varnames),
    ("vars", vars),
];

fn vars(env: &Rc<Env>, mut args: Args) -> R<Vec<V>> {
    let default = args.take("default")?;
    let mut out = Vec::new();
    for term in &args.pos {
        let V::Str(name) = term.need()? else {
            return Fail::python(format!("Variable name must be 'str' not '{}'.", term.type_name()));
        };
        let name = name.shared();
        match env.variable(&name)? {
            Some(V::Undef(undef)) => return Err(Fail::Undefined(undef)),
            Some(value) => out.push(value),
            None => match &default {
                Some(V::Undef(undef)) => return Err(Fail::Undefined(undef.clone())),
                Some(default) => out.push(default.clone()),
                None => {
                    return Err(Fail::Undefined(Undef::new(format!(
                        "No variable named '{name}' was found."
                    ))));
                }
            },
        }
    }
    Ok(out)
}

fn varnames(env: &Rc<Env>, args: Args) -> R<Vec<V>> {
    let mut names = env.scope.names();
    names.sort();
    let mut out = Vec::new();
    for term in &args.pos {
        let term = term.need()?;
        let V::Str(pattern) = &term else {
            return Fail::python(format!(
                "Invalid setting identifier, \"{}\" is not a string, it is a <class '{}'>",
                ops::to_str(&term)?,
                term.type_name()
            ));
        };
        let pattern = pattern.as_str();
        let compiled = regex::compile(&env.templar, pattern, Flags::default()).map_err(|fail| {
            let reason = match pattern.starts_with(['*', '+', '?']) {
                true => "nothing to repeat at position 0".to_string(),
                false => fail.message(),
            };
            Fail::Python(format!("Unable to use \"{pattern}\" as a search parameter: {reason}").into())
        })?;
        for name in &names {
            if regex::is_match(&compiled, name)? {
                out.push(V::str(name.as_str()));
            }
        }
    }
    Ok(out)
}

fn env_var(_: &Rc<Env>, mut args: Args) -> R<Vec<V>> {
    let default = args.take("default")?;
    let mut out = Vec::new();
    for term in texts(&args)? {
        let name = term.split_whitespace().next().unwrap_or("").to_string();
        let usable = !name.is_empty() && !name.contains(['=', '\0']);
        out.push(match std::env::var_os(if usable { name.as_str() } else { "" }).filter(|_| usable) {
            Some(value) => {
                let place = format!("<environment variable {}>", repr::quoted(&name));
                let place = crate::Pos { file: std::path::Path::new(&place).into(), line: 0, column: 0 };
                V::Str(crate::Str::plain(value.to_string_lossy().into_owned()).from_place(place.into()))
            }
            None => match &default {
                // `default=undef()`: the variable has to be there where it is used.
                Some(V::Undef(undef)) => {
                    let message = match undef.message.as_ref() {
                        "Mandatory variable has not been overridden" => {
                            format!("The environment variable {} is not set.", repr::quoted(&name))
                        }
                        given => given.to_string(),
                    };
                    V::Undef(Undef::new(message))
                }
                Some(default) => default.clone(),
                None => V::str(""),
            },
        });
    }
    Ok(out)
}

fn outside(env: &Rc<Env>) -> R<&dyn crate::template::scope::Outside> {
    match &env.templar.options.outside {
        Some(outside) => Ok(outside.as_ref()),
        None => Fail::python("processes and the network cannot be reached from here"),
    }
}

fn pipe(env: &Rc<Env>, args: Args) -> R<Vec<V>> {
    controller(env, "pipe lookup")?;
    let outside = outside(env)?;
    texts(&args)?
        .iter()
        .map(|command| match outside.run_pipe(command) {
            Ok(text) => Ok(V::str(text.trim_end())),
            Err(error) => Fail::python(error.to_string()),
        })
        .collect()
}

fn lines(env: &Rc<Env>, args: Args) -> R<Vec<V>> {
    controller(env, "lines lookup")?;
    let outside = outside(env)?;
    let mut out = Vec::new();
    for command in texts(&args)? {
        match outside.run_pipe(&command) {
            Ok(text) => {
                out.extend(crate::template::methods::str::splitlines(&text, false).into_iter().map(V::str))
            }
            Err(error) => return Fail::python(error.to_string()),
        }
    }
    Ok(out)
}

/// Options of the lookup `url` that variables can set.
const URL_VARIABLES: &[(&str, &str)] = &[
    ("ca_path", "ansible_lookup_url_ca_path"),
    ("ciphers", "ansible_lookup_url_ciphers"),
    ("follow_redirects", "ansible_lookup_url_follow_redirects"),
    ("force", "ansible_lookup_url_force"),
    ("force_basic_auth", "ansible_lookup_url_force_basic_auth"),
    ("http_agent", "ansible_lookup_url_agent"),
    ("timeout", "ansible_lookup_url_timeout"),
    ("unix_socket", "ansible_lookup_url_unix_socket"),
    ("unredirected_headers", "ansible_lookup_url_unredir_headers"),
    ("use_gssapi", "ansible_lookup_url_use_gssapi"),
    ("use_netrc", "ansible_lookup_url_use_netrc"),
];

fn url(env: &Rc<Env>, mut args: Args) -> R<Vec<V>> {
    controller(env, "url lookup")?;
    let split = match args.take("split_lines")? {
        Some(flag) => ops::truth(&flag)?,
        None => true,
    };
    let mut options = Map::new();
    for (key, value) in &args.kw {
        options.insert(crate::Key::Str(key.clone()), finalize(value)?);
    }
    for (option, variable) in URL_VARIABLES {
        let key = crate::Key::from(*option);
        if !options.contains_key(&key)
            && let Some(value) = env.variable(&(*variable).into())?
        {
            options.insert(key, finalize(&value)?);
        }
    }
    let outside = outside(env)?;
    let mut out = Vec::new();
    for address in texts(&args)? {
        let data = match outside.fetch_url(&address, &options) {
            Ok(data) => String::from_utf8_lossy(&data).into_owned(),
            Err(error) => return Fail::python(error.to_string()),
        };
        if split {
            out.extend(crate::template::methods::str::splitlines(&data, false).into_iter().map(V::str));
        } else {
            out.push(V::str(data));
        }
    }
    Ok(out)
}

fn config(env: &Rc<Env>, mut args: Args) -> R<Vec<V>> {
    let mut option = |name: &str| args.take(name).map(|value| value.filter(|v| !matches!(v, V::None)));
    let missing = match option("on_missing")? {
        Some(value) => ops::to_str(&value)?,
        None => "error".into(),
    };
    if !matches!(missing.as_str(), "error" | "skip" | "warn") {
        let missing = repr::quoted(&missing);
        return Fail::python(format!(
            "Invalid value {missing} for config 'on_missing' for 'config' lookup plugin."
        ));
    }
    let (kind, plugin) = (option("plugin_type")?, option("plugin_name")?);
    let origins = option("show_origin")?.map_or(Ok(false), |value| ops::truth(&value))?;
    match (kind, plugin) {
        (None, None) => {}
        (Some(kind), Some(plugin)) => {
            let (kind, plugin) = (ops::to_str(&kind)?, ops::to_str(&plugin)?);
            return Fail::python(format!("settings of plugins ({kind} {plugin}) are not supported"));
        }
        _ => {
            return Fail::python(
                "Both plugin_type and plugin_name are required, cannot use one without the other.",
            );
        }
    }
    let mut out = Vec::new();
    for term in &args.pos {
        let term = term.need()?;
        let V::Str(name) = &term else {
            return Fail::python(format!(
                "Invalid setting identifier, {} is not a <class 'str'>, its a <class '{}'>.",
                repr::repr(&term)?,
                term.type_name()
            ));
        };
        let name = name.as_str();
        let Some(value) = env.templar.options.config.get(name) else {
            let message = format!("No config definition exists for {}.", repr::quoted(name));
            match missing.as_str() {
                "skip" => {}
                "warn" => env.templar.warn(&format!("Skipping {name}: {message}"), None),
                _ => return Fail::python(message),
            }
            continue;
        };
        let value = V::lazy(value, env);
        if origins {
            let origin = env.templar.options.config_origins.get(name);
            let origin = origin.map_or_else(|| V::str("default"), |origin| V::lazy(origin, env));
            out.push(V::list(vec![value, origin]));
        } else {
            out.push(value);
        }
    }
    Ok(out)
}

/// The hosts that a pattern chooses. Nothing that is wrong with it is an error.
fn inventory_hostnames(env: &Rc<Env>, args: Args) -> R<Vec<V>> {
    let Some(groups) = env.variable(&"groups".into())? else { return Ok(Vec::new()) };
    let mut inventory = crate::inventory::Inventory::default();
    for (group, hosts) in iterate::entries(&groups)?.unwrap_or_default() {
        let group = group.to_string();
        let _ = inventory.add_group(&group);
        for host in iterate::items_of(&hosts)? {
            let _ = inventory.add_host(&ops::to_str(&host)?, Some(&group), None);
        }
    }
    let patterns = flattened_terms(&args)?.iter().map(ops::to_str).collect::<R<Vec<_>>>()?;
    let hosts = inventory.list_hosts_in(&patterns).map(|matched| matched.hosts).unwrap_or_default();
    Ok(hosts.into_iter().map(V::str).collect())
}

struct PasswordOptions {
    path: String,
    length: usize,
    chars: Vec<String>,
    encrypt: Option<String>,
    ident: Option<String>,
    seed: Option<V>,
}

/// `password('path length=20 chars=ascii_letters,digits encrypt=sha512_crypt')`: from the file, or new.
fn password(env: &Rc<Env>, mut args: Args) -> R<Vec<V>> {
    controller(env, "password lookup")?;
    let given = std::mem::take(&mut args.kw);
    let mut out = Vec::new();
    for term in texts(&args)? {
        let options = password_options(&term, &given)?;
        out.push(V::str(password_of(&options)?));
    }
    Ok(out)
}

fn password_options(term: &str, given: &[(std::sync::Arc<str>, V)]) -> R<PasswordOptions> {
    let default = || vec!["ascii_letters".to_string(), "digits".into(), ".,:-_".into()];
    let mut options = PasswordOptions {
        path: String::new(),
        length: 20,
        chars: default(),
        encrypt: None,
        ident: None,
        seed: None,
    };
    let set = |options: &mut PasswordOptions, key: &str, value: &V| -> R<bool> {
        match key {
            "length" => {
                let text = ops::to_str(value)?;
                options.length = match text.trim().parse() {
                    Ok(n) if n <= 1_000_000 => n,
                    _ => return Fail::python(format!("invalid length: {text}")),
                };
            }
            "chars" => options.chars = chars_option(value)?,
            "encrypt" => options.encrypt = password_text(value)?,
            "ident" => options.ident = password_text(value)?,
            "seed" => options.seed = Some(value.clone()),
            _ => return Ok(false),
        }
        Ok(true)
    };
    for (key, value) in given {
        if !set(&mut options, key, &value.need()?)? {
            return Fail::python(format!("Unrecognized parameter: {key}"));
        }
    }
    let mut words = term.split(' ');
    options.path = words.next().unwrap_or("").to_string();
    for word in words {
        match word.split_once('=') {
            Some((key, value)) => {
                if !set(&mut options, key, &V::str(value))? {
                    return Fail::python(format!(
                        "Unrecognized value after key=value parameters given to password lookup: {key}"
                    ));
                }
            }
            None if word.is_empty() => {}
            None => {
                options.path.push(' ');
                options.path.push_str(word);
            }
        }
    }
    Ok(options)
}

fn password_text(value: &V) -> R<Option<String>> {
    Ok(match value {
        V::None => None,
        other => Some(ops::to_str(other)?).filter(|s| !s.is_empty()),
    })
}

fn chars_option(value: &V) -> R<Vec<String>> {
    if let Some(items) = iterate::as_list(value)? {
        return items.iter().map(ops::to_str).collect();
    }
    let text = ops::to_str(value)?;
    // Two commas stand for a comma itself.
    let (comma, text) = if text.contains(",,") { (true, text.replace(",,", "")) } else { (false, text) };
    let mut out: Vec<String> = text.split(',').filter(|s| !s.is_empty()).map(str::to_string).collect();
    if comma {
        out.push(",".to_string());
    }
    Ok(out)
}

fn alphabet(names: &[String]) -> Vec<char> {
    let letters = |range: std::ops::RangeInclusive<char>| range.collect::<Vec<char>>();
    let mut out: Vec<char> = Vec::new();
    for name in names {
        match name.as_str() {
            "ascii_letters" => {
                out.extend(letters('a'..='z'));
                out.extend(letters('A'..='Z'));
            }
            "ascii_lowercase" => out.extend(letters('a'..='z')),
            "ascii_uppercase" => out.extend(letters('A'..='Z')),
            "digits" => out.extend(letters('0'..='9')),
            "hexdigits" => out.extend("0123456789abcdefABCDEF".chars()),
            "octdigits" => out.extend("01234567".chars()),
            "punctuation" => out.extend("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".chars()),
            "printable" => out.extend((' '..='~').collect::<Vec<char>>()),
            "whitespace" => out.extend(" \t\n\r\x0b\x0c".chars()),
            other => out.extend(other.chars()),
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

fn generate(options: &PasswordOptions) -> R<String> {
    let chars = alphabet(&options.chars);
    if chars.is_empty() {
        return Fail::python("no characters to make a password of");
    }
    let mut rng = match &options.seed {
        Some(V::Int(seed)) => random::Rng::from_int(*seed),
        Some(V::None) | None => random::Rng::System,
        Some(seed) => random::Rng::from_text(&ops::to_str(seed)?),
    };
    (0..options.length)
        .map(|_| {
            let i = rng.below(chars.len() as u64)?;
            Ok(chars[usize::try_from(i).unwrap_or(0)])
        })
        .collect()
}

fn password_of(options: &PasswordOptions) -> R<String> {
    let path = expand_user(&options.path);
    let (mut plain, mut salt, mut ident) = (None, None, options.ident.clone());
    if path != "/dev/null" && Path::new(&path).exists() {
        let text = std::fs::read_to_string(&path)
            .map_err(|e| Fail::Python(format!("cannot read the password file '{path}': {e}").into()))?;
        let line = text.trim_end_matches(['\n', '\r']);
        let (line, file_ident) = match line.rsplit_once(" ident=") {
            Some((head, ident)) => (head, Some(ident.to_string())),
            None => (line, None),
        };
        let (line, file_salt) = match line.rsplit_once(" salt=") {
            Some((head, salt)) => (head, Some(salt.to_string())),
            None => (line, None),
        };
        ident = ident.or(file_ident);
        plain = Some(line.to_string());
        salt = file_salt;
    }
    let is_new = plain.is_none() || (options.encrypt.is_some() && salt.is_none());
    let plain = match plain {
        Some(plain) => plain,
        None => generate(options)?,
    };
    if options.encrypt.is_some() && salt.is_none() {
        salt = Some(crate::template::filters::random_salt(options.encrypt.as_deref().unwrap_or(""))?);
    }
    if is_new && path != "/dev/null" {
        write_password(
            &path,
            &plain,
            salt.as_deref().filter(|_| options.encrypt.is_some()),
            ident.as_deref(),
        )?;
    }
    match &options.encrypt {
        Some(scheme) => {
            crate::template::filters::crypt(scheme, &plain, salt.as_deref(), None, ident.as_deref())
        }
        None => Ok(plain),
    }
}

fn write_password(path: &str, plain: &str, salt: Option<&str>, ident: Option<&str>) -> R<()> {
    use std::io::Write as _;
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    let mut text = plain.to_string();
    if let Some(salt) = salt {
        text.push_str(&format!(" salt={salt}"));
        if let Some(ident) = ident {
            text.push_str(&format!(" ident={ident}"));
        }
    }
    text.push('\n');
    let failed =
        |e: std::io::Error| Fail::Python(format!("cannot write the password file '{path}': {e}").into());
    if let Some(dir) = Path::new(path).parent().filter(|d| !d.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    }
    // Beside, then renamed: a second run never reads half a password.
    let beside = format!("{path}.{}", std::process::id());
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    std::fs::rename(&beside, path).map_err(failed)
}
