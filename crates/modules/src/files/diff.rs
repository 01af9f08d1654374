//! The two sides of `--diff` for files, with Ansible's limits on what is shown.

use std::path::Path;

use protocol::Diff;

/// Files larger than this are not shown (`MAX_FILE_SIZE_FOR_DIFF`), in bytes.
const LIMIT: u64 = 104_448;

/// One side: content, or why there is none to show.
pub enum Side {
    /// Nothing is there.
    Absent,
    Text {
        header: Option<String>,
        content: Vec<u8>,
    },
    Binary,
    Large,
}

impl Side {
    /// What is at a path now.
    pub fn of_file(path: &Path, header: &str) -> Self {
        match std::fs::metadata(path) {
            Err(_) => Self::Absent,
            Ok(meta) if meta.len() > LIMIT => Self::Large,
            Ok(_) => match std::fs::read(path) {
                Ok(content) => Self::of(content, Some(header)),
                Err(_) => Self::Absent,
            },
        }
    }

    pub fn of(content: Vec<u8>, header: Option<&str>) -> Self {
        if content.len() as u64 > LIMIT {
            Self::Large
        } else if content.contains(&0) {
            Self::Binary
        } else {
            Self::Text { header: header.map(str::to_owned), content }
        }
    }
}

/// A diff of two sides.
pub fn file_diff(before: Side, after: Side) -> Diff {
    let mut diff = Diff::default();
    let text = |content: Vec<u8>| Some(String::from_utf8_lossy(&content).into_owned().into());
    match before {
        Side::Absent => diff.before = Some("".into()),
        Side::Text { header, content } => {
            diff.before_header = header;
            diff.before = text(content);
        }
        Side::Binary => _ = diff.notes.insert("dst_binary".into(), 1.into()),
        Side::Large => _ = diff.notes.insert("dst_larger".into(), LIMIT.into()),
    }
    match after {
        Side::Absent => diff.after = Some("".into()),
        Side::Text { header, content } => {
            diff.after_header = header;
            diff.after = text(content);
        }
        Side::Binary => _ = diff.notes.insert("src_binary".into(), 1.into()),
        Side::Large => _ = diff.notes.insert("src_larger".into(), LIMIT.into()),
    }
    diff
}
