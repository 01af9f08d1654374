//! What the recorded cases cannot have: TLS, sockets that are not TCP, and archives that mean harm.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use modules::{Host, Map, Value, json};
use protocol::Outcome;

fn call(module: &str, args: Value, tmp: &Path) -> Outcome {
    let entry = modules::find(module).unwrap();
    let host = Host::new(tmp);
    let args: Map = args.as_object().unwrap().clone();
    match (entry.plan)(&args, &host) {
        Ok(plan) => plan.carry_out(&host),
        Err(error) => error.into_outcome(),
    }
}

fn shell(dir: &Path, script: &str) {
    let output = Command::new("sh").arg("-ec").arg(script).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// `openssl s_server` that answers one kind of page.
struct Tls {
    process: Child,
    port: u16,
}

impl Tls {
    fn start(dir: &Path, options: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new("openssl")
            .args(["s_server", "-quiet", "-www", "-cert", "server.pem", "-key", "server.key", "-port"])
            .arg(port.to_string())
            .args(options)
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..100 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        Self { process, port }
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An authority, a server's certificate of it, another authority, a client's certificate, a self-signed one.
fn certificates(dir: &Path) {
    shell(
        dir,
        "new() { openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout $1.key -out $1.pem -subj /CN=$1 2>/dev/null; }
         new ca; new other
         sign() { openssl req -newkey rsa:2048 -nodes -keyout $1.key -out $1.csr -subj /CN=$1 2>/dev/null
           printf \"$2\" > $1.ext
           openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile $1.ext -out $1.pem 2>/dev/null; }
         sign server 'subjectAltName=DNS:localhost,IP:127.0.0.1\\n'
         sign client 'extendedKeyUsage=clientAuth\\n'
         cat client.pem client.key > both.pem",
    );
}

#[test]
fn certificates_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let server = Tls::start(dir.path(), &[]);
    let get = |args: Value| {
        let mut all = json!({"url": format!("https://localhost:{}/", server.port), "timeout": 10});
        all.as_object_mut().unwrap().extend(args.as_object().unwrap().clone());
        call("uri", all, dir.path())
    };
    let good = get(json!({"ca_path": path("ca.pem"), "return_content": true}));
    assert_eq!(good.result["status"], 200, "{good:?}");
    assert!(good.result["content"].as_str().unwrap().contains("TLS"), "{good:?}");
    let bad = get(json!({"ca_path": path("other.pem")}));
    assert!(bad.failed());
    let msg = bad.result["msg"].as_str().unwrap();
    assert!(msg.contains("CERTIFICATE_VERIFY_FAILED") && bad.result["status"] == -1, "{msg}");
    assert!(!get(json!({"validate_certs": false})).failed());
    let unknown = get(json!({"ca_path": path("nothing.pem")}));
    assert!(unknown.failed());
    // The name has to be the certificate's.
    let url = format!("https://127.0.0.2:{}/", server.port);
    let other = call("uri", json!({"url": url, "ca_path": path("ca.pem"), "timeout": 10}), dir.path());
    assert!(other.result["msg"].as_str().unwrap().contains("Hostname mismatch"), "{other:?}");
    let ciphers = get(json!({"ca_path": path("ca.pem"), "ciphers": ["ECDHE-RSA-AES256-GCM-SHA384"]}));
    assert!(!ciphers.failed(), "{ciphers:?}");
    let refused = get(json!({"ca_path": path("ca.pem"), "ciphers": ["RC4-MD5"]}));
    assert!(refused.result["msg"].as_str().unwrap().contains("'RC4-MD5' is not supported"), "{refused:?}");
}

#[test]
fn a_self_signed_server_can_be_trusted() {
    let dir = tempfile::tempdir().unwrap();
    shell(
        dir.path(),
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout server.key -out server.pem -subj /CN=localhost \
         -addext subjectAltName=DNS:localhost 2>/dev/null",
    );
    let server = Tls::start(dir.path(), &[]);
    let ca = dir.path().join("server.pem").to_string_lossy().into_owned();
    let get = |name: &str| {
        let url = format!("https://{name}:{}/", server.port);
        call("uri", json!({"url": url, "ca_path": ca, "timeout": 10}), dir.path())
    };
    assert!(!get("localhost").failed(), "{:?}", get("localhost"));
    assert!(get("127.0.0.1").failed());
}

#[test]
fn the_client_shows_its_certificate() {
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let server = Tls::start(dir.path(), &["-Verify", "1", "-CAfile", "ca.pem", "-verify_return_error"]);
    let url = format!("https://localhost:{}/", server.port);
    let base = json!({"url": url, "ca_path": path("ca.pem"), "timeout": 10});
    let get = |more: Value| {
        let mut args = base.clone();
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call("uri", args, dir.path())
    };
    assert!(get(json!({})).failed());
    let split = get(json!({"client_cert": path("client.pem"), "client_key": path("client.key")}));
    assert_eq!(split.result["status"], 200, "{split:?}");
    let both = get(json!({"client_cert": path("both.pem")}));
    assert_eq!(both.result["status"], 200, "{both:?}");
}

#[test]
fn requests_go_through_a_unix_socket() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("sock");
    let server = UnixListener::bind(&socket).unwrap();
    let seen = thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").unwrap();
        String::from_utf8(head).unwrap()
    });
    let args = json!({"url": "http://some.where/x?y", "unix_socket": socket, "return_content": true});
    let outcome = call("uri", args, dir.path());
    assert_eq!(outcome.result["content"], "hi", "{outcome:?}");
    let head = seen.join().unwrap();
    assert!(head.starts_with("GET /x?y HTTP/1.1\r\n") && head.contains("\r\nHost: some.where\r\n"), "{head}");
}

#[test]
fn https_goes_through_a_proxy_by_connect() {
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let tls = Tls::start(dir.path(), &[]);
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap();
    let target = tls.port;
    let seen = thread::spawn(move || {
        let (mut client, _) = proxy.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
        let mut server = std::net::TcpStream::connect(("127.0.0.1", target)).unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let up = thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        });
        let _ = std::io::copy(&mut server, &mut client);
        let _ = client.shutdown(std::net::Shutdown::Both);
        let _ = up.join();
        String::from_utf8(head).unwrap()
    });
    let host = Host::new(dir.path())
        .with_environment([("https_proxy".to_owned(), format!("http://joe:x@{address}"))].into());
    let ca = dir.path().join("ca.pem");
    let args = json!({"url": "https://localhost:4433/", "ca_path": ca, "timeout": 10});
    let plan = (modules::find("uri").unwrap().plan)(args.as_object().unwrap(), &host).unwrap();
    let outcome = plan.carry_out(&host);
    assert_eq!(outcome.result["status"], 200, "{outcome:?}");
    let head = seen.join().unwrap();
    assert!(head.starts_with("CONNECT localhost:4433 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("Proxy-Authorization: Basic am9lOng="), "{head}");
}

/// Nothing of these may end up outside of `d`.
#[test]
fn archives_stay_inside() {
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path();
    let script = r#"
import io, tarfile, zipfile
def tar(name, *members):
    with tarfile.open(name, "w") as archive:
        for path, kind in members:
            info = tarfile.TarInfo(path)
            if kind.startswith("->"):
                info.type, info.linkname = tarfile.SYMTYPE, kind[2:]
                archive.addfile(info)
            else:
                info.size = len(kind)
                archive.addfile(info, io.BytesIO(kind.encode()))
def zip(name, *members):
    with zipfile.ZipFile(name, "w") as archive:
        for path, kind in members:
            info = zipfile.ZipInfo(path)
            link = kind.startswith("->")
            info.create_system, info.external_attr = 3, (0o120777 if link else 0o100644) << 16
            archive.writestr(info, kind[2:] if link else kind)
import os
top = os.getcwd()
for make, end in ((tar, "tar"), (zip, "zip")):
    make("up." + end, ("ok", "x"), ("../evil-up", "x"))
    make("deep." + end, ("a/../../evil-deep", "x"))
    make("link." + end, ("l", "->" + top), ("l/evil-link", "x"))
    make("root." + end, (top + "/evil-root", "x"))
"#;
    fs::write(top.join("make.py"), script).unwrap();
    shell(top, "python3 make.py");
    for end in ["tar", "zip"] {
        for name in ["up", "deep", "link", "root"] {
            shell(top, "rm -rf d; mkdir d");
            let src = top.join(format!("{name}.{end}"));
            let args = json!({"src": src, "dest": top.join("d"), "remote_src": true});
            let outcome = call("unarchive", args, top);
            let out: Vec<String> = fs::read_dir(top)
                .unwrap()
                .filter_map(|e| e.unwrap().file_name().into_string().ok())
                .filter(|n| n.starts_with("evil"))
                .collect();
            assert!(out.is_empty(), "{name}.{end} wrote {out:?}: {outcome:?}");
            if name != "root" {
                assert!(outcome.failed(), "{name}.{end}: {outcome:?}");
            }
        }
    }
}
