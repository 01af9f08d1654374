//! The arguments about requests that several modules share.

use crate::args::Expanded;
use crate::system::program::refuse;
use crate::{Result, args};

use super::Options;

args! {
    pub struct UrlArgs {
        /// Ciphers of TLS 1.2, by OpenSSL's names.
        ciphers: Vec<String> = elements("str");
        /// The client's certificate in PEM, which may have the key with it.
        client_cert: Option<Expanded>;
        /// The key of the client's certificate in PEM.
        client_key: Option<Expanded>;
        /// Unpack what comes compressed by gzip.
        decompress: bool = default("yes");
        /// Ask caches for a fresh copy; replace what is there.
        force: bool = default("no");
        /// Send name and password before the server asks for them.
        force_basic_auth: bool = default("no");
        /// What the client calls itself.
        http_agent: String = default("ansible-httpget");
        /// Headers that are not sent to where a redirect leads.
        unredirected_headers: Vec<String> = elements("str");
        /// Kerberos; not supported.
        use_gssapi: bool = default("no");
        /// Take name and password from `~/.netrc`.
        use_netrc: bool = default("yes");
        /// Go through the proxies that the environment names.
        use_proxy: bool = default("yes");
        /// Refuse servers whose certificate is not signed by an authority that the host knows.
        validate_certs: bool = default("yes");
    }
}

impl UrlArgs {
    /// The options of a request.
    pub fn options(&self) -> Result<Options> {
        if self.use_gssapi {
            return Err(refuse("use_gssapi", "Kerberos is not built in"));
        }
        Ok(Options {
            use_proxy: self.use_proxy,
            validate_certs: self.validate_certs,
            client_cert: self.client_cert.as_ref().map(|p| p.0.clone()),
            client_key: self.client_key.as_ref().map(|p| p.0.clone()),
            ciphers: self.ciphers.clone(),
            force_basic_auth: self.force_basic_auth,
            use_netrc: self.use_netrc,
            unredirected: self.unredirected_headers.clone(),
            decompress: self.decompress,
            agent: self.http_agent.clone(),
            no_cache: self.force,
            ..Options::default()
        })
    }
}

/// `timeout` in seconds; nothing is no limit.
pub fn timeout(seconds: i64) -> Option<std::time::Duration> {
    u64::try_from(seconds).ok().filter(|s| *s > 0).map(std::time::Duration::from_secs)
}
