//! What `provision vault` does to texts and files; the command asks for passwords and starts the editor.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::{Decrypted, VaultSecrets, is_encrypted};
use crate::error::ErrorKind;
use crate::yaml::unreadable;
use crate::{Error, Result};

/// `encrypt_string`: the YAML of an encrypted value, under a name if one is given.
pub fn encrypt_string(
    secrets: &VaultSecrets,
    text: &[u8],
    name: Option<&str>,
    id: Option<&str>,
) -> Result<String> {
    const INDENT: &str = "          ";
    let envelope = secrets.encrypt(text, id)?;
    let mut yaml = match name {
        Some(name) => format!("{name}: !vault |"),
        None => "!vault |".to_owned(),
    };
    for line in envelope.lines() {
        yaml.push('\n');
        yaml.push_str(INDENT);
        yaml.push_str(line);
    }
    Ok(yaml)
}

/// `encrypt`: an envelope for a text that is none yet.
pub fn encrypt(secrets: &VaultSecrets, text: &[u8], id: Option<&str>) -> Result<String> {
    if is_encrypted(text) {
        return Err(Error::new("input is already encrypted"));
    }
    secrets.encrypt(text, id)
}

/// `decrypt` and `view`: the text behind an envelope, which is called `name` in errors.
pub fn decrypt(secrets: &VaultSecrets, envelope: &[u8], name: &str) -> Result<Vec<u8>> {
    if !is_encrypted(envelope) {
        return Err(
            Error::new(format!("Input is not vault encrypted data. for {name}")).with_kind(ErrorKind::Syntax)
        );
    }
    secrets.decrypt(envelope).map_err(|error| for_file(error, name))
}

/// `rekey`: the same text under a new secret.
pub fn rekey(
    old: &VaultSecrets,
    new: &VaultSecrets,
    envelope: &[u8],
    id: Option<&str>,
    name: &str,
) -> Result<String> {
    new.encrypt(&decrypt(old, envelope, name)?, id)
}

/// `edit`: the text to edit; [`VaultSecrets::encrypt_again`] encrypts what it became.
pub fn open_to_edit(secrets: &VaultSecrets, envelope: &[u8], name: &str) -> Result<Decrypted> {
    if !is_encrypted(envelope) {
        return Err(
            Error::new(format!("Input is not vault encrypted data. for {name}")).with_kind(ErrorKind::Syntax)
        );
    }
    secrets.open(envelope).map_err(|error| for_file(error, name))
}

fn for_file(error: Error, name: &str) -> Error {
    let message = format!("{}. for {name}", error.to_string().trim_end_matches('.'));
    let help = error.help().map(str::to_owned);
    let error = Error::new(message).with_kind(error.kind());
    match help {
        Some(help) => error.with_help(help),
        None => error,
    }
}

/// A file to encrypt, decrypt or view.
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| {
        let cause = unreadable(path, &error);
        Error::new(format!("Unable to read source file ({})", path.display()))
            .with_kind(cause.kind())
            .caused_by(cause)
    })
}

/// Put a text into a file that only its owner can read, in one step: beside it first, then renamed over it. The
/// owner stays; a link stays and its target changes.
pub fn write_file(path: &Path, text: &[u8]) -> Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let failed = |error: std::io::Error| {
        Error::new(format!("the file {} could not be written: {error}", path.display()))
    };
    let beside = beside(&target);
    let write = || -> std::io::Result<()> {
        let mut file = private(&beside)?;
        file.write_all(text)?;
        file.sync_all()?;
        keep_owner(&target, &beside);
        fs::rename(&beside, &target)
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}

/// A name beside a file that nobody else uses.
fn beside(path: &Path) -> PathBuf {
    let mut random = [0; 8];
    // Without random bytes the name is still this process's own; creating it fails if it is there.
    let _ = getrandom::fill(&mut random);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.{}", std::process::id(), hex::encode(random)))
}

#[cfg(unix)]
fn private(path: &Path) -> std::io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private(path: &Path) -> std::io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).open(path)
}

/// Best effort: only root may give files away.
#[cfg(unix)]
fn keep_owner(from: &Path, to: &Path) {
    use std::os::unix::fs::MetadataExt;
    if let Ok(metadata) = fs::metadata(from) {
        let _ = std::os::unix::fs::chown(to, Some(metadata.uid()), Some(metadata.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_from: &Path, _to: &Path) {}

#[cfg(test)]
mod tests {
    use super::super::VaultSecret;
    use super::*;

    #[test]
    fn a_file_is_replaced_and_private() {
        let path = std::env::temp_dir().join(format!("provision-vault-{}", std::process::id()));
        fs::write(&path, "a").unwrap();
        write_file(&path, b"b").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"b");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn an_encrypted_string_reads_back_as_yaml() {
        let secrets = VaultSecrets::new(vec![("default".into(), VaultSecret::new(*b"pw"))]);
        let yaml = encrypt_string(&secrets, b"hello", Some("foo"), None).unwrap();
        assert!(yaml.starts_with("foo: !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n"));
        let document = crate::yaml::parse_one(yaml.as_bytes(), Path::new("x.yml")).unwrap();
        let value = document.root.to_value();
        let Some(crate::Value::Vault(vault)) = value.get("foo") else { panic!("{value:?}") };
        assert_eq!(secrets.decrypt_str(vault).unwrap().as_str(), "hello");
    }
}
