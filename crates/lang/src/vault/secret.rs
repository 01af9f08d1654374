//! Passwords and where they come from: files, scripts that print one, clients that are asked for an id.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{DEFAULT_ID, VaultSecrets};
use crate::error::ErrorKind;
use crate::{Error, Result};

/// A password. It is never printed, and gone from memory when it is dropped.
#[derive(Clone)]
pub struct VaultSecret(Vec<u8>);

impl VaultSecret {
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    pub(super) fn expose(&self) -> &[u8] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for VaultSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultSecret(***)")
    }
}

impl Drop for VaultSecret {
    fn drop(&mut self) {
        self.0.fill(0);
        std::hint::black_box(&self.0);
    }
}

/// What `--vault-id` and `--vault-password-file` say: an id and where its password is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultSource {
    /// Ask on the terminal, `id@prompt`.
    Prompt { id: String },
    /// A file or an executable.
    File { id: String, path: String },
}

impl VaultSource {
    /// `dev@prompt`, `dev@file`, `file`.
    pub fn parse(text: &str) -> Self {
        let (id, source) = text.split_once('@').unwrap_or((DEFAULT_ID, text));
        let id = if id.is_empty() { DEFAULT_ID } else { id }.to_owned();
        match source {
            "prompt" | "prompt_ask_vault_pass" => Self::Prompt { id },
            path => Self::File { id, path: path.to_owned() },
        }
    }

    pub fn id(&self) -> &str {
        match self {
            Self::Prompt { id } | Self::File { id, .. } => id,
        }
    }
}

/// The password in a file, or the one that an executable file prints. A file whose name ends with `-client`
/// (before its extension) is asked for the id with `--vault-id`.
pub fn secret_from_file(path: &Path, id: &str) -> Result<VaultSecret> {
    secret_from_file_with(path, id, &VaultSecrets::default())
}

/// The same for a file that may itself be encrypted with one of the secrets that are known so far.
pub fn secret_from_file_with(path: &Path, id: &str, known: &VaultSecrets) -> Result<VaultSecret> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|_| {
        Error::new(format!("The vault password file {shown} was not found")).with_kind(ErrorKind::NotFound)
    })?;
    if metadata.is_dir() {
        return Err(Error::new(format!("The vault password file provided '{shown}' can not be a directory")));
    }
    let secret = if is_executable(&metadata) {
        from_script(path, id)?
    } else {
        let bytes = std::fs::read(path)
            .map_err(|error| Error::new(format!("Could not read vault password file {shown}: {error}")))?;
        VaultSecret::new(known.decrypt_if_encrypted(bytes)?.trim_ascii())
    };
    if secret.is_empty() {
        let kind = if is_executable(&metadata) { "script" } else { "file" };
        return Err(Error::new(format!("Invalid vault password was provided from {kind} ({shown})")));
    }
    Ok(secret)
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_metadata: &std::fs::Metadata) -> bool {
    false
}

fn from_script(path: &Path, id: &str) -> Result<VaultSecret> {
    let shown = path.display();
    let is_client = path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("-client"));
    let mut command = Command::new(path);
    if is_client {
        command.args(["--vault-id", id]);
    }
    command.stdin(Stdio::inherit()).stdout(Stdio::piped());
    command.stderr(if is_client { Stdio::piped() } else { Stdio::inherit() });
    let output = command.output().map_err(|error| {
        Error::new(format!(
            "Problem running vault password script {shown} ({error}). If this is not a script, remove the \
             executable bit from the file."
        ))
    })?;
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match output.status.code() {
        Some(0) => Ok(VaultSecret::new(output.stdout.trim_ascii_end())),
        Some(2) if is_client => Err(Error::new(format!(
            "Vault password client script {shown} did not find a secret for vault-id={id}: {complaint}"
        ))),
        code => {
            let kind = if is_client { "client script" } else { "script" };
            let code = code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
            let with_id =
                if is_client { format!(" when getting secret for vault-id={id}") } else { String::new() };
            Err(Error::new(format!(
                "Vault password {kind} {shown} returned non-zero ({code}){with_id}: {complaint}"
            )))
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn file(name: &str, text: &str, mode: u32) -> std::path::PathBuf {
        let directory = std::env::temp_dir().join(format!("provision-secret-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_password_comes_from_a_file_a_script_or_a_client() {
        let secret = |path: &Path| secret_from_file(path, "dev").map(|secret| secret.0.clone());
        assert_eq!(secret(&file("plain", " pw one \n", 0o600)).unwrap(), b"pw one");
        assert_eq!(
            secret(&file("script.sh", "#!/bin/sh\necho from script $1\n", 0o700)).unwrap(),
            b"from script"
        );
        let client = file("x-client.sh", "#!/bin/sh\necho \"$1 $2\"\n", 0o700);
        assert_eq!(secret(&client).unwrap(), b"--vault-id dev");
    }

    #[test]
    fn what_gives_no_password_says_so() {
        let message = |path: &Path| secret_from_file(path, "dev").unwrap_err().to_string();
        assert!(message(Path::new("/nonexistent/pw")).ends_with("was not found"));
        assert!(
            message(&file("empty", "\n", 0o600)).starts_with("Invalid vault password was provided from file")
        );
        let unknown = message(&file("y-client", "#!/bin/sh\nexit 2\n", 0o700));
        assert!(unknown.contains("did not find a secret for vault-id=dev"), "{unknown}");
        assert!(message(&file("bad", "#!/bin/sh\nexit 3\n", 0o700)).contains("returned non-zero (3)"));
    }

    #[test]
    fn sources_have_ids() {
        let file = |id: &str, path: &str| VaultSource::File { id: id.into(), path: path.into() };
        assert_eq!(VaultSource::parse("pw"), file("default", "pw"));
        assert_eq!(VaultSource::parse("dev@pw"), file("dev", "pw"));
        assert_eq!(VaultSource::parse("dev@prompt"), VaultSource::Prompt { id: "dev".into() });
    }
}
