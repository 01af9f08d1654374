//! Reaching a host by ssh, with russh in place of the program.

mod algorithms;
mod auth;
mod channel;
mod config;
mod connection;
mod handler;
mod identities;
mod keys;
mod known_hosts;
mod pool;
mod signed;
mod signer;
mod stream;
mod through;

use std::sync::Arc;

pub use channel::{ChannelInput, SshHost};
use connection::Means;

use crate::error::ConnectError;
use crate::prompt::Prompter;
use crate::target::Target;

fn means(target: &Target, prompter: Arc<dyn Prompter>) -> Means {
    let secrets = auth::Secrets {
        password: target.password.clone(),
        passphrase: target.private_key_passphrase.clone(),
    };
    Means { secrets, fingerprint: target.host_key_fingerprint.clone(), prompter }
}

/// The connection to `target`, shared with whoever else has one.
pub async fn host(target: &Target, prompter: Arc<dyn Prompter>) -> Result<SshHost, ConnectError> {
    let connection = pool::get(config::Request::of(target), means(target, prompter), Vec::new()).await?;
    Ok(SshHost(connection))
}

/// Make the next [`host`] connect anew.
pub async fn forget(target: &Target, prompter: Arc<dyn Prompter>) {
    pool::forget(config::Request::of(target), means(target, prompter)).await;
}
