//! Private key files: read once, opened once, however many hosts want them.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

use protocol::Secret;
use russh::keys::{
    Certificate, PrivateKey, PublicKey, decode_secret_key, load_openssh_certificate, load_public_key,
};

use crate::clock::Clock;
use crate::prompt::{Prompter, Question};

/// Why a file cannot be used when there is none.
pub const MISSING: &str = "no such file";

/// A private key file as far as it can be read without its passphrase.
pub struct KeyFile {
    pub path: PathBuf,
    /// Known from the file itself or from the `.pub` beside it.
    pub public: Option<PublicKey>,
    pub certificate: Option<Certificate>,
    text: Secret,
    opened: tokio::sync::Mutex<Opened>,
}

enum Opened {
    NotYet,
    Key(Arc<PrivateKey>),
    /// Nobody knew the passphrase: not asked again for the next host.
    GivenUp,
}

type Cache = Mutex<HashMap<PathBuf, (SystemTime, Arc<KeyFile>)>>;
static CACHE: LazyLock<Cache> = LazyLock::new(Cache::default);

/// Read a key file. `Err` says why it cannot be used. Blocks.
pub fn read(path: &Path) -> Result<Arc<KeyFile>, String> {
    let metadata = std::fs::metadata(path).map_err(|e| short(&e))?;
    let changed = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    if let Some((time, file)) = CACHE.lock().unwrap_or_else(PoisonError::into_inner).get(path)
        && *time == changed
    {
        return Ok(file.clone());
    }
    if metadata.uid() == nix::unistd::getuid().as_raw() && metadata.mode() & 0o077 != 0 {
        let mode = metadata.mode() & 0o777;
        return Err(format!("permissions {mode:04o} are too open: others can read this private key"));
    }
    let text = std::fs::read_to_string(path).map_err(|e| short(&e))?;
    let file = Arc::new(parse(path, text)?);
    CACHE.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), (changed, file.clone()));
    Ok(file)
}

fn parse(path: &Path, text: String) -> Result<KeyFile, String> {
    let beside = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let (mut public, mut opened) = (None, Opened::NotYet);
    match decode_secret_key(&text, None) {
        Ok(key) if !key.is_encrypted() => {
            public = Some(key.public_key().clone());
            opened = Opened::Key(Arc::new(key));
        }
        Ok(key) => public = Some(key.public_key().clone()),
        Err(error) => {
            // The public half of an encrypted key is readable in OpenSSH's own format alone.
            match PrivateKey::from_openssh(&text) {
                Ok(key) if key.is_encrypted() => public = Some(key.public_key().clone()),
                _ if is_encrypted(&text) => {}
                _ => return Err(format!("not a private key that can be read: {error}")),
            }
        }
    }
    if public.is_none() {
        public = load_public_key(beside(".pub")).ok();
    }
    let certificate = load_openssh_certificate(beside("-cert.pub")).ok();
    Ok(KeyFile {
        path: path.to_owned(),
        public,
        certificate,
        text: Secret::new(text),
        opened: tokio::sync::Mutex::new(opened),
    })
}

fn is_encrypted(text: &str) -> bool {
    text.contains("ENCRYPTED")
}

fn short(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => MISSING.into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

/// How to come by passphrases.
pub struct Passphrases<'a> {
    pub given: Option<&'a Secret>,
    pub prompter: &'a dyn Prompter,
    /// How often a person is asked; 0 for never.
    pub prompts: u32,
    pub clock: &'a Clock,
}

impl KeyFile {
    /// Can it sign without asking anybody?
    pub fn is_open(&self) -> bool {
        self.opened.try_lock().is_ok_and(|opened| matches!(*opened, Opened::Key(_)))
    }

    /// The private key, asking for its passphrase if need be. `None`: nobody knew it.
    pub async fn open(&self, passphrases: &Passphrases<'_>) -> Option<Arc<PrivateKey>> {
        // Others who need the same key wait here while one is asked.
        let _paused = passphrases.clock.pause();
        let mut opened = self.opened.lock().await;
        match &*opened {
            Opened::Key(key) => return Some(key.clone()),
            Opened::GivenUp if passphrases.given.is_none() => return None,
            _ => {}
        }
        if let Some(given) = passphrases.given
            && let Some(key) = self.decrypt(given.clone()).await
        {
            *opened = Opened::Key(key.clone());
            return Some(key);
        }
        for _ in 0..passphrases.prompts {
            let question = Question::Passphrase { file: self.path.clone() };
            let Some(answer) = passphrases.prompter.ask(&question).await else { break };
            if let Some(key) = self.decrypt(answer).await {
                *opened = Opened::Key(key.clone());
                return Some(key);
            }
        }
        *opened = Opened::GivenUp;
        None
    }

    /// Deriving the key from a passphrase takes some hundred milliseconds on purpose.
    async fn decrypt(&self, passphrase: Secret) -> Option<Arc<PrivateKey>> {
        let text = self.text.clone();
        let work = move || decode_secret_key(text.expose(), Some(passphrase.expose())).ok();
        let key = tokio::task::spawn_blocking(work).await.ok()??;
        (!key.is_encrypted()).then(|| Arc::new(key))
    }
}
