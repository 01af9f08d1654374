//! Passwords of vaults, from options and configuration; and `provision vault`.

mod command;
mod editor;

use lang::error::ErrorKind;
use lang::vault::{VaultSecret, VaultSecrets, VaultSource, secret_from_file_with};
use lang::{Error, Result};

use super::Failure;
use super::options::VaultOptions;
use super::terminal::ask_secret;
use crate::config::{Config, expand};

pub use command::run;

/// All secrets that the options and the configuration name, in the order they are tried. One that cannot be read
/// is a warning as long as another can.
pub fn secrets(
    options: &VaultOptions,
    config: &Config,
    warn: &dyn Fn(String),
) -> Result<VaultSecrets, Failure> {
    read(&sources(options, config), config, warn)
}

/// Where passwords are looked for.
fn sources(options: &VaultOptions, config: &Config) -> Vec<VaultSource> {
    let mut sources: Vec<VaultSource> = Vec::new();
    for text in config.list("DEFAULT_VAULT_IDENTITY_LIST").iter().chain(&options.vault_id) {
        sources.push(VaultSource::parse(text));
    }
    let default = default_id(config);
    for file in &options.vault_password_file {
        sources.push(VaultSource::parse(&format!("{default}@{file}")));
    }
    if options.ask_vault_password {
        sources.push(VaultSource::parse(&format!("{default}@prompt")));
    }
    // The configured file comes last: it counts beside what the options say.
    if let Some(path) = config.path("DEFAULT_VAULT_PASSWORD_FILE") {
        sources.push(VaultSource::parse(&format!("{default}@{}", path.display())));
    }
    sources
}

/// The vault id of passwords that are given without one.
fn default_id(config: &Config) -> String {
    config.text("DEFAULT_VAULT_IDENTITY").unwrap_or_else(|| "default".into())
}

fn read(sources: &[VaultSource], config: &Config, warn: &dyn Fn(String)) -> Result<VaultSecrets, Failure> {
    let mut found: Vec<(String, VaultSecret)> = Vec::new();
    let mut last = None;
    for source in sources {
        let id = source.id();
        let known = VaultSecrets::new(found.clone());
        let read = match source {
            VaultSource::Prompt { id, .. } => asked(id, "Vault password"),
            VaultSource::File { path, .. } => {
                let path = super::setup::absolute(&expand(path));
                secret_from_file_with(&path, id, &known)
            }
        };
        match read {
            Ok(secret) => found.push((id.to_owned(), secret)),
            Err(error) => {
                let what = match source {
                    VaultSource::Prompt { .. } => "Error in vault password prompt",
                    VaultSource::File { .. } if error.kind() == ErrorKind::NotFound => {
                        "Error getting vault password file"
                    }
                    VaultSource::File { .. } => "Error in vault password file loading",
                };
                warn(format!("{what} ({id}): {error}"));
                last = Some(error);
            }
        }
    }
    match last {
        Some(error) if found.is_empty() => Err(error.into()),
        _ => Ok(VaultSecrets::new(found)
            .matching_ids(config.bool("DEFAULT_VAULT_ID_MATCH"))
            .with_salt(config.text("VAULT_ENCRYPT_SALT").map(String::into_bytes))),
    }
}

/// Ask for the password of a vault.
fn asked(id: &str, what: &str) -> Result<VaultSecret> {
    let prompt = if id == "default" { format!("{what}: ") } else { format!("{what} ({id}): ") };
    let text =
        ask_secret(&prompt).ok_or_else(|| Error::new(format!("EOFError (ctrl-d) on prompt for ({id})")))?;
    if text.is_empty() {
        return Err(Error::new("Invalid vault password was provided"));
    }
    Ok(VaultSecret::new(text.into_bytes()))
}

/// Ask for a new password, twice.
fn asked_twice(id: &str) -> Result<VaultSecret> {
    let prompt = |what: &str| if id == "default" { format!("{what}: ") } else { format!("{what} ({id}): ") };
    let eof = || Error::new(format!("EOFError (ctrl-d) on prompt for ({id})"));
    let first = ask_secret(&prompt("New Vault password")).ok_or_else(eof)?;
    if first.is_empty() {
        return Err(Error::new("Invalid vault password was provided"));
    }
    if ask_secret(&prompt("Confirm New Vault password")).ok_or_else(eof)? != first {
        return Err(Error::new("Passwords do not match"));
    }
    Ok(VaultSecret::new(first.into_bytes()))
}
