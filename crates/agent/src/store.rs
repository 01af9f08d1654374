//! Contents of files, by hash: received, verified, kept until the agent ends.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use modules::Blobs;
use protocol::{FromAgent, Hash, ToAgent, frame::BLOB_PIECE};

use crate::desk::{Desk, Interest, News, Seat};

/// The contents of one connection.
pub struct Store {
    dir: PathBuf,
    desk: Arc<Desk>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    arriving: HashMap<Hash, Arriving>,
    here: HashSet<Hash>,
    /// Why a content did not come; told once, to whoever asked for it.
    failed: HashMap<Hash, String>,
    wanted: HashSet<Hash>,
}

/// A content of which some pieces are here.
struct Arriving {
    file: File,
    size: u64,
    digest: sha2::Sha256,
}

impl Store {
    /// Keep contents in `dir`, which only this user can enter.
    pub fn new(dir: &Path, desk: Arc<Desk>) -> Self {
        Self { dir: dir.to_owned(), desk, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, hash: Hash) -> PathBuf {
        self.dir.join(hash.to_string())
    }

    /// Take a piece that arrived. What goes wrong is told to the step that wants the content.
    pub fn receive(&self, hash: Hash, offset: u64, data: &[u8], compressed: bool, last: bool) {
        let mut state = self.lock();
        if state.here.contains(&hash) {
            return;
        }
        let finished = match self.take_piece(&mut state, hash, offset, data, compressed, last) {
            Ok(finished) => finished,
            Err(reason) => {
                state.arriving.remove(&hash);
                let _ = fs::remove_file(self.path(hash));
                state.failed.insert(hash, reason);
                true
            }
        };
        if finished {
            state.wanted.remove(&hash);
            drop(state);
            self.desk.contents_arrived();
        }
    }

    /// The controller does not have it.
    pub fn refuse(&self, hash: Hash, reason: String) {
        let mut state = self.lock();
        state.wanted.remove(&hash);
        state.failed.insert(hash, reason);
        drop(state);
        self.desk.contents_arrived();
    }

    fn take_piece(
        &self,
        state: &mut State,
        hash: Hash,
        offset: u64,
        data: &[u8],
        compressed: bool,
        last: bool,
    ) -> Result<bool, String> {
        use sha2::Digest;
        if offset == 0 {
            let path = self.path(hash);
            let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
            let file = file.map_err(|e| self.explain(&e, data.len()))?;
            state.arriving.insert(hash, Arriving { file, size: 0, digest: sha2::Sha256::new() });
            state.failed.remove(&hash);
        } else if state.failed.contains_key(&hash) {
            // The rest of a content whose beginning could not be kept.
            return Ok(false);
        }
        let Some(arriving) = state.arriving.get_mut(&hash) else {
            return Err("its beginning is missing".into());
        };
        if arriving.size != offset {
            return Err(format!("a piece at {offset} came where {} was next", arriving.size));
        }
        let inflated;
        let data = if compressed {
            inflated = inflate(data)?;
            &inflated
        } else {
            data
        };
        arriving.file.write_all(data).map_err(|e| self.explain(&e, data.len()))?;
        arriving.digest.update(data);
        arriving.size += data.len() as u64;
        if !last {
            return Ok(false);
        }
        let Some(arriving) = state.arriving.remove(&hash) else { return Ok(false) };
        if Hash::from_bytes(arriving.digest.finalize().into()) != hash {
            return Err("it arrived damaged: its checksum is not the announced one".into());
        }
        state.here.insert(hash);
        Ok(true)
    }

    fn explain(&self, error: &io::Error, size: usize) -> String {
        match error.kind() {
            io::ErrorKind::StorageFull => {
                format!("no space left in {} for {size} more bytes", self.dir.display())
            }
            _ => format!("cannot write to {}: {error}", self.dir.display()),
        }
    }

    /// The file with a content; the step in hand at `seat` waits until it is there.
    pub fn fetch(&self, hash: Hash, seat: &Seat) -> io::Result<PathBuf> {
        loop {
            let seen = seat.contents_count();
            let mut state = self.lock();
            if state.here.contains(&hash) {
                return Ok(self.path(hash));
            }
            if let Some(reason) = state.failed.remove(&hash) {
                return Err(io::Error::other(reason));
            }
            let ask = !state.arriving.contains_key(&hash) && state.wanted.insert(hash);
            drop(state);
            if ask {
                seat.say(FromAgent::Want { id: seat.id_in_hand(), hashes: vec![hash] });
            }
            match seat.wait(Interest { contents: Some(seen), ..Interest::default() }) {
                News::Contents => continue,
                news => {
                    // Whoever wants it next asks again.
                    self.lock().wanted.remove(&hash);
                    // Others may be waiting for what was just taken back.
                    self.desk.contents_arrived();
                    return Err(match news {
                        News::Ended => io::Error::other("the connection ended before it arrived"),
                        _ => io::Error::new(io::ErrorKind::TimedOut, "the step was stopped"),
                    });
                }
            }
        }
    }
}

/// The contents as the step in hand at one seat gets them.
pub struct Shelf {
    pub store: Arc<Store>,
    pub seat: Arc<Seat>,
}

impl Blobs for Shelf {
    fn fetch(&self, hash: Hash) -> io::Result<PathBuf> {
        self.store.fetch(hash, &self.seat)
    }
}

/// Pass a content on, in pieces.
pub fn pieces(path: &Path, hash: Hash, mut send: impl FnMut(ToAgent) -> io::Result<()>) -> io::Result<()> {
    let size = fs::metadata(path)?.len();
    let mut file = File::open(path)?;
    let mut offset = 0;
    loop {
        let mut data = Vec::with_capacity(BLOB_PIECE);
        (&mut file).take(BLOB_PIECE as u64).read_to_end(&mut data)?;
        let next = offset + data.len() as u64;
        let last = next >= size;
        send(ToAgent::Blob { hash, offset, data, compressed: false, last })?;
        if last {
            return Ok(());
        }
        offset = next;
    }
}

/// Undo zlib; a piece that grows beyond its size is refused before it fills the memory.
fn inflate(data: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut decoder = flate2::read::ZlibDecoder::new(data).take(BLOB_PIECE as u64 + 1);
    decoder.read_to_end(&mut out).map_err(|e| format!("a damaged piece: {e}"))?;
    if out.len() > BLOB_PIECE {
        return Err(format!("a piece is longer than {BLOB_PIECE} bytes"));
    }
    Ok(out)
}
