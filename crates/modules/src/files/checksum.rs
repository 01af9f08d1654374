//! Checksums in hexadecimal.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The algorithms of Ansible's checksum options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha3_224,
    Sha3_256,
    Sha3_384,
    Sha3_512,
    Blake2b,
    Blake2s,
}

impl Algorithm {
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "md5" => Self::Md5,
            "sha1" => Self::Sha1,
            "sha224" => Self::Sha224,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            "sha3_224" => Self::Sha3_224,
            "sha3_256" => Self::Sha3_256,
            "sha3_384" => Self::Sha3_384,
            "sha3_512" => Self::Sha3_512,
            "blake2b" => Self::Blake2b,
            "blake2s" => Self::Blake2s,
            _ => return None,
        })
    }
}

/// Of everything that `reader` gives.
pub fn checksum_of(reader: &mut dyn Read, algorithm: Algorithm) -> io::Result<String> {
    fn run<D: sha2::Digest>(reader: &mut dyn Read) -> io::Result<String> {
        let mut digest = D::new();
        let mut piece = vec![0; 65536];
        loop {
            match reader.read(&mut piece) {
                Ok(0) => return Ok(hex::encode(digest.finalize())),
                Ok(n) => digest.update(&piece[..n]),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
    match algorithm {
        Algorithm::Md5 => run::<md5::Md5>(reader),
        Algorithm::Sha1 => run::<sha1::Sha1>(reader),
        Algorithm::Sha224 => run::<sha2::Sha224>(reader),
        Algorithm::Sha256 => run::<sha2::Sha256>(reader),
        Algorithm::Sha384 => run::<sha2::Sha384>(reader),
        Algorithm::Sha512 => run::<sha2::Sha512>(reader),
        Algorithm::Sha3_224 => run::<sha3::Sha3_224>(reader),
        Algorithm::Sha3_256 => run::<sha3::Sha3_256>(reader),
        Algorithm::Sha3_384 => run::<sha3::Sha3_384>(reader),
        Algorithm::Sha3_512 => run::<sha3::Sha3_512>(reader),
        Algorithm::Blake2b => run::<blake2::Blake2b512>(reader),
        Algorithm::Blake2s => run::<blake2::Blake2s256>(reader),
    }
}

/// Of a file.
pub fn checksum(path: &Path, algorithm: Algorithm) -> io::Result<String> {
    checksum_of(&mut File::open(path)?, algorithm)
}
