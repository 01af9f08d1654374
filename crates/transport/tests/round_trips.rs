//! How many round trips wait for each other until the agent has said hello.
//!
//! The host is 50 ms away, behind a proxy. Each chunk that the client sends is one deeper than the deepest chunk that
//! has reached it; what the server sends is as deep as the deepest that has reached the server. The deepest chunk of the client
//! is then the length of the chain of round trips, whatever was sent ahead. TCP's handshake is the first.

mod support;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;
use transport::Target;

/// One way.
const DELAY: Duration = Duration::from_millis(25);

/// Depths of one connection: what has reached the client and the server, and the deepest from the client.
struct Depths {
    reached: [u32; 2],
    deepest: u32,
}

struct Proxy {
    port: u16,
    connections: Arc<Mutex<Vec<Arc<Mutex<Depths>>>>>,
}

impl Proxy {
    async fn new(backend: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(Mutex::new(Vec::new()));
        let all: Arc<Mutex<Vec<_>>> = connections.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let depths = Arc::new(Mutex::new(Depths { reached: [1, 1], deepest: 1 }));
                all.lock().unwrap().push(depths.clone());
                tokio::spawn(serve(client, backend, depths));
            }
        });
        Self { port, connections }
    }

    /// Round trips of the last connection, and how many connections there were.
    fn trips(&self) -> (u32, usize) {
        let connections = self.connections.lock().unwrap();
        (connections.last().unwrap().lock().unwrap().deepest, connections.len())
    }
}

async fn serve(client: TcpStream, backend: u16, depths: Arc<Mutex<Depths>>) -> io::Result<()> {
    // There and back: the handshake.
    tokio::time::sleep(2 * DELAY).await;
    let server = TcpStream::connect(("127.0.0.1", backend)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::spawn(pass_on(from_client, to_server, 0, depths.clone()));
    tokio::spawn(pass_on(from_server, to_client, 1, depths));
    Ok(())
}

/// Pass on what `side` (0 is the client) sends, later.
async fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, side: usize, depths: Arc<Mutex<Depths>>) {
    let (sender, mut line) = mpsc::unbounded_channel::<(Instant, Vec<u8>, u32)>();
    let other = depths.clone();
    tokio::spawn(async move {
        while let Some((due, bytes, depth)) = line.recv().await {
            tokio::time::sleep_until(due).await;
            {
                let mut depths = other.lock().unwrap();
                depths.reached[1 - side] = depths.reached[1 - side].max(depth);
            }
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let depth = {
            let mut depths = depths.lock().unwrap();
            let depth = depths.reached[side] + u32::from(side == 0);
            if side == 0 {
                depths.deepest = depths.deepest.max(depth);
            }
            depth
        };
        if sender.send((Instant::now() + DELAY, buffer[..count].to_vec(), depth)).is_err() {
            return;
        }
    }
}

/// The least of a few: on a busy machine something may come late that waited for nothing.
async fn least(target: &Target, proxy: &Proxy) -> u32 {
    let mut least = u32::MAX;
    for attempt in 0..3 {
        // Each attempt has a connection of its own.
        let mut target = target.clone();
        target.ssh_common_args.push(format!("-oServerAliveInterval={}", 100 + attempt));
        let session = connect(&target).await.unwrap();
        let (trips, _) = proxy.trips();
        assert!(!session.uploaded);
        least = least.min(trips);
        session.close().await;
    }
    least
}

fn behind(target: &Target, proxy: &Proxy) -> Target {
    Target { port: Some(proxy.port), ..target.clone() }
}

/// `ssh host true` of OpenSSH 9.2 takes 10 on the same scale.
#[tokio::test(flavor = "multi_thread")]
async fn connecting_takes_few() {
    let mut scene = Scene::new();
    let server = scene.server_with(
        "UsePAM no\nPasswordAuthentication yes",
        &["ed25519"],
        &format!("echo 'root:{PASSWORD}' | chpasswd"),
    );
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    let mut direct = scene.known_target(&server, &key);
    // The proxy shows the key of the server.
    direct.ssh_args.push("-oHostKeyAlias=server".into());
    let known = format!("server {}\n", scene.public(&server.dir.join("host_ed25519")));
    std::fs::write(scene.path("known_hosts"), known).unwrap();
    connect(&direct).await.unwrap().close().await;

    let proxy = Proxy::new(server.port).await;
    let with_key = least(&behind(&direct, &proxy), &proxy).await;

    let mut with_password = behind(&direct, &proxy);
    with_password.private_key_file = None;
    with_password.password = Some(protocol::Secret::new(PASSWORD));
    with_password.ssh_args.push("-oPubkeyAuthentication=no".into());
    let with_password = least(&with_password, &proxy).await;
    // TCP; identification and KEXINIT; our half of the key exchange; NEWKEYS, service and login; channel and command.
    assert_eq!((with_key, with_password), (5, 5));
}
