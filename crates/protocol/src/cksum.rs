/// What POSIX `cksum` prints for `content`: a CRC over it and its length, the lowest octet first, as few as there are.
pub fn posix_checksum(content: &[u8]) -> u32 {
    let crc = crc::Crc::<u32, crc::Table<16>>::new(&crc::CRC_32_CKSUM);
    let mut digest = crc.digest();
    digest.update(content);
    let length = (content.len() as u64).to_le_bytes();
    let used = length.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    digest.update(&length[..used]);
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_cksum() {
        // printf '' | cksum; printf 123456789 | cksum; head -c 100000 /dev/zero | cksum
        assert_eq!(posix_checksum(b""), 4294967295);
        assert_eq!(posix_checksum(b"123456789"), 930766865);
        assert_eq!(posix_checksum(&[0; 100_000]), 1260869142);
    }
}
