//! What modules about the system share: reading its databases without starting a process, and writing text
//! files safely.

pub mod accounts;
pub mod chroot;
pub mod dpkg;
pub mod init;
pub mod postgres;
pub mod program;
pub mod rabbitmq;
pub mod supervisor;
pub mod textfile;
pub mod version;
