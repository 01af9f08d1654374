//! TLS by rustls, with the host's own list of certificate authorities.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme, StreamOwned,
};

use super::Options;
use super::wire::Wire;
use crate::Host;

/// Where distributions keep the list: Debian, Fedora, SUSE, Alpine and the BSDs.
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// Shake hands over `stream`.
pub fn wrap<S: Read + Write + Send + 'static>(
    host: &Host,
    stream: S,
    name: &str,
    options: &Options,
) -> io::Result<Box<dyn Wire>> {
    let config = config(host, options).map_err(io::Error::other)?;
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).map_err(|e| match tls_error(&e) {
            Some(text) => io::Error::other(text),
            None => e,
        })?;
    }
    Ok(Box::new(Quiet(stream)))
}

/// Many servers just close the connection; what that means is the length's matter.
struct Quiet<T>(T);

impl<T: Read> Read for Quiet<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            other => other,
        }
    }
}

impl<T: Write> Write for Quiet<T> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// In the form of Python's errors, so that texts that look for them find them.
fn tls_error(error: &io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    Some(match error {
        Error::InvalidCertificate(why) => {
            let why = match why {
                CertificateError::UnknownIssuer => "unable to get local issuer certificate".to_owned(),
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    "certificate has expired".to_owned()
                }
                CertificateError::NotValidForNameContext { expected, .. } => {
                    let name = expected.to_str();
                    format!("Hostname mismatch, certificate is not valid for '{name}'.")
                }
                CertificateError::NotValidForName => {
                    "Hostname mismatch, certificate is not valid for this name".to_owned()
                }
                other => other.to_string(),
            };
            format!("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {why}")
        }
        other => format!("[SSL] {other}"),
    })
}

fn config(host: &Host, options: &Options) -> Result<ClientConfig, String> {
    let mut provider = ring::default_provider();
    if !options.ciphers.is_empty() {
        provider.cipher_suites = ciphers(&options.ciphers, &provider)?;
    }
    let provider = Arc::new(provider);
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    let verifier: Arc<dyn ServerCertVerifier> = match options.validate_certs {
        false => Arc::new(Anything(provider)),
        true => Arc::new(verifier(host, options, provider)?),
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let Some(cert) = &options.client_cert else { return Ok(builder.with_no_client_auth()) };
    let failed = |path: &str, e: rustls::pki_types::pem::Error| format!("could not read {path}: {e:?}");
    let chain =
        CertificateDer::pem_file_iter(host.path(cert)).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|e| failed(cert, e))?;
    let key = options.client_key.as_ref().unwrap_or(cert);
    let key = PrivateKeyDer::from_pem_file(host.path(key)).map_err(|e| failed(key, e))?;
    builder.with_client_auth_cert(chain, key).map_err(|e| format!("the client's certificate: {e}"))
}

/// The suites of TLS 1.2 in a list of OpenSSL's names; those of TLS 1.3 are always there, as with OpenSSL.
fn ciphers(names: &[String], provider: &CryptoProvider) -> Result<Vec<rustls::SupportedCipherSuite>, String> {
    let openssl = |suite: &rustls::SupportedCipherSuite| -> String {
        let name = format!("{:?}", suite.suite());
        let name = name.trim_start_matches("TLS_").replace("_WITH_", "-").replace('_', "-");
        name.replace("AES-", "AES").replace("-POLY1305-SHA256", "-POLY1305")
    };
    let mut wanted = Vec::new();
    for name in names.iter().flat_map(|n| n.split(':')).map(str::trim).filter(|n| !n.is_empty()) {
        match provider.cipher_suites.iter().find(|s| s.tls13().is_none() && openssl(s) == name) {
            Some(found) => wanted.push(*found),
            None => return Err(format!("argument 'ciphers': '{name}' is not supported")),
        }
    }
    let newer = provider.cipher_suites.iter().filter(|s| s.tls13().is_some()).copied();
    Ok(newer.chain(wanted).collect())
}

fn verifier(host: &Host, options: &Options, provider: Arc<CryptoProvider>) -> Result<Trusting, String> {
    let file = match &options.ca_path {
        Some(path) => host.path(path),
        None => match host.env("SSL_CERT_FILE").filter(|p| !p.is_empty()) {
            Some(path) => host.path(path),
            None => {
                let found = BUNDLES.iter().map(|p| host.path(p)).find(|p| p.exists());
                found.ok_or("no list of certificate authorities on this host (package ca-certificates)")?
            }
        },
    };
    let mut files = vec![file];
    if options.ca_path.is_none()
        && let Some(dir) = host.env("SSL_CERT_DIR")
    {
        let entries = std::fs::read_dir(host.path(dir)).into_iter().flatten().flatten();
        files.extend(entries.map(|e| e.path()));
    }
    let mut roots = RootCertStore::empty();
    let mut exact = Vec::new();
    for (number, file) in files.iter().enumerate() {
        read(file, &mut roots, &mut exact)
            .or_else(|e| if number == 0 { Err(format!("{}: {e}", file.display())) } else { Ok(()) })?;
    }
    if roots.is_empty() {
        return Err(format!("{}: no certificates in it", files[0].display()));
    }
    let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|e| e.to_string())?;
    Ok(Trusting { chain, exact })
}

fn read(
    file: &PathBuf,
    roots: &mut RootCertStore,
    exact: &mut Vec<CertificateDer<'static>>,
) -> Result<(), String> {
    for cert in CertificateDer::pem_file_iter(file).map_err(|e| format!("{e:?}"))? {
        let cert = cert.map_err(|e| format!("{e:?}"))?;
        // A list may hold what cannot be read; the others count.
        if roots.add(cert.clone()).is_ok() {
            exact.push(cert);
        }
    }
    Ok(())
}

/// Chains to an authority, and servers whose own certificate is in the list: that is how self-signed ones are
/// used, and the web's rules for chains would refuse them as authorities.
#[derive(Debug)]
struct Trusting {
    chain: Arc<WebPkiServerVerifier>,
    exact: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.chain.verify_server_cert(end, others, name, ocsp, now);
        if verdict.is_err() && self.exact.iter().any(|c| c == end) {
            verify_server_name(&ParsedCertificate::try_from(end)?, name)?;
            super::validity::check(end, now.as_secs())?;
            return Ok(ServerCertVerified::assertion());
        }
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// `validate_certs: false`.
#[derive(Debug)]
struct Anything(Arc<CryptoProvider>);

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
