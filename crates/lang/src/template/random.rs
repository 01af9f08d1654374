//! Randomness: the system's, and Python's generator for a seed (the same seed gives the same choice as Ansible).

use sha2::{Digest, Sha512};

use crate::template::object::{Fail, R};

/// A number below `limit` from the operating system.
pub(crate) fn below(limit: u64) -> R<u64> {
    if limit == 0 {
        return Fail::python("empty range for randrange()");
    }
    let zone = u64::MAX - u64::MAX % limit;
    loop {
        let mut bytes = [0u8; 8];
        if let Err(error) = getrandom::fill(&mut bytes) {
            return Fail::python(format!("the system gives no random numbers: {error}"));
        }
        let n = u64::from_le_bytes(bytes);
        if n < zone {
            return Ok(n % limit);
        }
    }
}

/// A source of choices: with a seed Python's Mersenne twister, without one the system.
pub(crate) enum Rng {
    System,
    Twister(Box<Twister>),
}

impl Rng {
    /// Python's `random.Random(seed)` for a text.
    pub fn from_text(seed: &str) -> Self {
        let mut bytes = seed.as_bytes().to_vec();
        let digest = Sha512::digest(seed.as_bytes());
        bytes.extend_from_slice(&digest);
        Self::Twister(Box::new(Twister::from_big_endian(&bytes)))
    }

    /// Python's `random.Random(seed)` for a whole number.
    pub fn from_int(seed: i128) -> Self {
        Self::Twister(Box::new(Twister::from_big_endian(&seed.unsigned_abs().to_be_bytes())))
    }

    /// Python's `randrange(limit)`.
    pub fn below(&mut self, limit: u64) -> R<u64> {
        match self {
            Self::System => below(limit),
            Self::Twister(_) if limit == 0 => Fail::python("empty range for randrange()"),
            Self::Twister(twister) => {
                let bits = 64 - limit.leading_zeros();
                loop {
                    let n = twister.bits(bits);
                    if n < limit {
                        return Ok(n);
                    }
                }
            }
        }
    }

    /// Python's `random.shuffle`.
    pub fn shuffle<T>(&mut self, items: &mut [T]) -> R<()> {
        for i in (1..items.len()).rev() {
            let j = self.below(i as u64 + 1)?;
            items.swap(i, usize::try_from(j).unwrap_or(0));
        }
        Ok(())
    }
}

/// MT19937, seeded by an array as CPython does (Matsumoto and Nishimura, `init_by_array`).
pub(crate) struct Twister {
    state: [u32; 624],
    index: usize,
}

impl Twister {
    fn from_big_endian(bytes: &[u8]) -> Self {
        let mut key = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (head, tail) = rest.split_at(rest.len().saturating_sub(4));
            key.push(tail.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)));
            rest = head;
        }
        while key.len() > 1 && key.last() == Some(&0) {
            key.pop();
        }
        if key.is_empty() {
            key.push(0);
        }
        Self::from_key(&key)
    }

    fn from_key(key: &[u32]) -> Self {
        let mut state = [0u32; 624];
        state[0] = 19_650_218;
        for i in 1..624 {
            let previous = state[i - 1];
            state[i] = 1_812_433_253u32.wrapping_mul(previous ^ previous >> 30).wrapping_add(i as u32);
        }
        let (mut i, mut j) = (1, 0);
        for _ in 0..key.len().max(624) {
            let previous = state[i - 1];
            state[i] = (state[i] ^ (previous ^ previous >> 30).wrapping_mul(1_664_525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i += 1;
            j += 1;
            if i >= 624 {
                state[0] = state[623];
                i = 1;
            }
            if j >= key.len() {
                j = 0;
            }
        }
        for _ in 0..623 {
            let previous = state[i - 1];
            state[i] =
                (state[i] ^ (previous ^ previous >> 30).wrapping_mul(1_566_083_941)).wrapping_sub(i as u32);
            i += 1;
            if i >= 624 {
                state[0] = state[623];
                i = 1;
            }
        }
        state[0] = 0x8000_0000;
        Self { state, index: 624 }
    }

    fn next(&mut self) -> u32 {
        if self.index >= 624 {
            for i in 0..624 {
                let y = self.state[i] & 0x8000_0000 | self.state[(i + 1) % 624] & 0x7fff_ffff;
                let mut next = self.state[(i + 397) % 624] ^ y >> 1;
                if y & 1 == 1 {
                    next ^= 0x9908_b0df;
                }
                self.state[i] = next;
            }
            self.index = 0;
        }
        let mut y = self.state[self.index];
        self.index += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    /// CPython's `getrandbits`, up to 64.
    fn bits(&mut self, bits: u32) -> u64 {
        if bits <= 32 {
            return u64::from(self.next() >> (32 - bits.max(1)));
        }
        let low = u64::from(self.next());
        let high = u64::from(self.next() >> (64 - bits));
        high << 32 | low
    }
}
