//! Connections that exist: a second one to the same host, as the same user, by the same way, is the first.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Instant;

use super::config::{self, Request, Settings};
use super::connection::{Means, SshConnection};
use crate::error::SshError;

#[derive(Default)]
struct Slot {
    /// Held while connecting, so that those who want the same wait for it.
    state: tokio::sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    connection: Weak<SshConnection>,
    failed: Option<(Instant, SshError)>,
}

static SLOTS: LazyLock<Mutex<HashMap<String, Arc<Slot>>>> = LazyLock::new(Mutex::default);

/// The connection for `request`: the one that exists, or a new one. `chain` are those that wait for this
/// one because it is their jump host.
pub async fn get(request: Request, means: Means, chain: Vec<String>) -> Result<Arc<SshConnection>, SshError> {
    let began = Instant::now();
    let resolved = tokio::task::spawn_blocking(move || config::resolve(&request)).await;
    let settings = match resolved {
        Ok(settings) => Arc::new(settings?),
        Err(error) => {
            return Err(SshError::Handshake { host: "ssh_config".into(), reason: error.to_string() });
        }
    };
    let key = key(&settings, &means);
    if chain.contains(&key) {
        let reason = "it is its own jump host".into();
        return Err(SshError::Handshake { host: settings.original.clone(), reason });
    }
    let slot = slot(&key);
    let mut state = slot.state.lock().await;
    if let Some(connection) = state.connection.upgrade().filter(|c| !c.handle.is_closed()) {
        return Ok(connection);
    }
    if let Some((_, error)) = state.failed.as_ref().filter(|(when, _)| *when >= began) {
        // It failed while this one waited: trying the same again would only multiply the wait.
        return Err(error.clone());
    }
    match SshConnection::open(settings, &means, chain.into_iter().chain([key]).collect()).await {
        Ok(connection) => {
            let connection = Arc::new(connection);
            *state = State { connection: Arc::downgrade(&connection), failed: None };
            Ok(connection)
        }
        Err(error) => {
            state.failed = Some((Instant::now(), error.clone()));
            Err(error)
        }
    }
}

/// Everything that makes one connection different from another.
fn key(settings: &Settings, means: &Means) -> String {
    let mut secrets = DefaultHasher::new();
    means.secrets.password.as_ref().map(|s| s.expose()).hash(&mut secrets);
    means.fingerprint.hash(&mut secrets);
    format!("{settings:?} {:x}", secrets.finish())
}

fn slot(key: &str) -> Arc<Slot> {
    let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
    slots.retain(|_, slot| {
        let unused = Arc::strong_count(slot) == 1;
        let dead = slot.state.try_lock().is_ok_and(|state| state.connection.strong_count() == 0);
        !(unused && dead)
    });
    slots.entry(key.to_owned()).or_default().clone()
}

/// Forget the connection, so that the next one is new; for a host that has restarted.
pub async fn forget(request: Request, means: Means) {
    let Ok(Ok(settings)) = tokio::task::spawn_blocking(move || config::resolve(&request)).await else {
        return;
    };
    let slot = slot(&key(&settings, &means));
    slot.state.lock().await.connection = Weak::new();
}
