//! The MD5 scheme of crypt(3), as FreeBSD introduced it: `$1$salt$hash`.

use md5::{Digest, Md5};

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

pub(super) fn md5_crypt(password: &[u8], salt: &[u8]) -> String {
    let inner = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut first = Md5::new().chain_update(password).chain_update(b"$1$").chain_update(salt);
    for chunk in password.chunks(16) {
        first.update(&inner[..chunk.len()]);
    }
    let mut bits = password.len();
    while bits > 0 {
        // A slip of the original that the format has kept: a zero for one, a letter for zero.
        first.update(if bits & 1 == 1 { &[0][..] } else { &password[..1] });
        bits >>= 1;
    }
    let mut state = first.finalize();
    for round in 0..1000 {
        let mut next = Md5::new();
        let (front, back): (&[u8], &[u8]) =
            if round % 2 == 1 { (password, &state) } else { (&state, password) };
        next.update(front);
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(back);
        state = next.finalize();
    }
    let mut text = format!("$1${}$", String::from_utf8_lossy(salt));
    let mut push = |value: u32, chars: usize| {
        for i in 0..chars {
            text.push(char::from(ALPHABET[(value >> (6 * i)) as usize & 63]));
        }
    };
    for [a, b, c] in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] {
        push(u32::from(state[a]) << 16 | u32::from(state[b]) << 8 | u32::from(state[c]), 4);
    }
    push(u32::from(state[11]), 2);
    text
}
