//! Passwords of vaults, from options and configuration.

use lang::vault::{VaultSecret, VaultSecrets, VaultSource, secret_from_file};

use super::Failure;
use super::options::VaultOptions;
use super::terminal::ask_secret;
use crate::config::{Config, expand};

/// All secrets that the options and the configuration name, in the order they are tried.
pub fn secrets(options: &VaultOptions, config: &Config) -> Result<VaultSecrets, Failure> {
    let mut sources: Vec<VaultSource> = Vec::new();
    for text in config.list("DEFAULT_VAULT_IDENTITY_LIST").iter().chain(&options.vault_id) {
        sources.push(VaultSource::parse(text));
    }
    let default = config.text("DEFAULT_VAULT_IDENTITY").unwrap_or_else(|| "default".into());
    if options.vault_password_file.is_empty() && !options.ask_vault_password {
        if let Some(path) = config.path("DEFAULT_VAULT_PASSWORD_FILE") {
            sources.push(VaultSource::parse(&format!("{default}@{}", path.display())));
        }
    }
    for file in &options.vault_password_file {
        sources.push(VaultSource::parse(&format!("{default}@{file}")));
    }
    if options.ask_vault_password {
        sources.push(VaultSource::parse(&format!("{default}@prompt")));
    }
    let mut secrets = Vec::new();
    for source in sources {
        let id = source.id().to_owned();
        let secret = match &source {
            VaultSource::Prompt { id, .. } => {
                let prompt = if id == "default" {
                    "Vault password: ".to_owned()
                } else {
                    format!("Vault password ({id}): ")
                };
                let text = ask_secret(&prompt)
                    .ok_or_else(|| Failure::new("A vault password is required to use Ansible's Vault"))?;
                VaultSecret::new(text.into_bytes())
            }
            VaultSource::File { path, .. } => secret_from_file(&expand(path), &id)?,
        };
        secrets.push((id, secret));
    }
    let secrets = VaultSecrets::new(secrets);
    Ok(secrets.matching_ids(config.bool("DEFAULT_VAULT_ID_MATCH")))
}
