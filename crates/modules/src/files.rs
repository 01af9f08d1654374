//! What the modules about files share: attributes, results, checksums, writing without half-written files.

mod attrs;
mod backup;
mod checksum;
mod diff;
mod edit;
mod flags;
mod info;
mod mode;
mod oserror;
pub mod owners;
mod validate;
mod write;

pub use attrs::{AttrChange, FileAttrs};
pub use backup::backup;
pub use checksum::{Algorithm, checksum, checksum_of};
pub use diff::{Side, file_diff};
pub use edit::Edit;
pub use flags::{flag_letters, read_flags, read_version, supported};
pub use info::{State, add_path_info, fail_at, octal, real_path, state_of};
pub use mode::{Mode, umask};
pub use oserror::{bytes_repr, errno_text, strerror};
pub use validate::validate;
pub use write::{Replacement, copy_attributes, write_atomically};
