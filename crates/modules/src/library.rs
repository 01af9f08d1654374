//! The modules themselves, a file each.

mod alternatives;
mod apt;
mod apt_key;
mod apt_repository;
pub mod assemble;
pub mod async_status;
mod authorized_key;
mod blockinfile;
mod command;
mod copy;
mod cron;
mod deb822_repository;
mod debconf;
mod dpkg_selections;
mod file;
mod find;
mod get_url;
mod getent;
mod git;
mod group;
mod hostname;
mod htpasswd;
mod ini_file;
mod known_hosts;
mod lineinfile;
mod locale_gen;
mod mount;
mod mount_facts;
mod nginx_site;
mod package;
mod package_facts;
mod ping;
mod pip;
mod postgresql_db;
mod postgresql_ext;
mod postgresql_privs;
mod postgresql_user;
mod rabbitmq_user;
mod rabbitmq_vhost;
mod replace;
mod run;
mod script;
mod service;
mod service_facts;
mod setup;
mod shell;
mod slurp;
mod stat;
mod supervisor_program;
mod supervisorctl;
mod sysctl;
mod systemd;
mod tempfile;
mod timezone;
mod ufw;
mod unarchive;
mod uri;
mod user;
mod wait_for;

pub use apt::{Made, Share, Transaction};

use crate::registry::{Entry, of};

/// One line for each module.
pub(crate) fn entries() -> Vec<Entry> {
    vec![
        of::<tempfile::Tempfile>(),
        of::<slurp::Slurp>(),
        of::<replace::Replace>(),
        of::<blockinfile::Blockinfile>(),
        of::<lineinfile::Lineinfile>(),
        of::<apt::AptModule>(),
        of::<apt_key::AptKey>(),
        of::<apt_repository::AptRepository>(),
        of::<assemble::Assemble>(),
        of::<async_status::AsyncStatus>(),
        of::<authorized_key::AuthorizedKey>(),
        of::<command::Command>(),
        of::<copy::Copy>(),
        of::<cron::Cron>(),
        of::<file::File>(),
        of::<getent::Getent>(),
        of::<pip::Pip>(),
        of::<get_url::GetUrl>(),
        of::<group::Group>(),
        of::<package::Package>(),
        of::<package_facts::PackageFacts>(),
        of::<ping::Ping>(),
        of::<postgresql_db::PostgresqlDb>(),
        of::<postgresql_user::PostgresqlUser>(),
        of::<script::Script>(),
        of::<service::Service>(),
        of::<service_facts::ServiceFacts>(),
        of::<setup::Setup>(),
        of::<shell::Shell>(),
        of::<stat::Stat>(),
        of::<systemd::Systemd>(),
        of::<postgresql_ext::PostgresqlExt>(),
        of::<rabbitmq_vhost::RabbitmqVhost>(),
        of::<supervisorctl::Supervisorctl>(),
        of::<postgresql_privs::PostgresqlPrivs>(),
        of::<rabbitmq_user::RabbitmqUser>(),
        of::<nginx_site::NginxSite>(),
        of::<ufw::Ufw>(),
        of::<unarchive::Unarchive>(),
        of::<alternatives::Alternatives>(),
        of::<deb822_repository::Deb822Repository>(),
        of::<debconf::Debconf>(),
        of::<dpkg_selections::DpkgSelections>(),
        of::<find::Find>(),
        of::<git::GitModule>(),
        of::<sysctl::Sysctl>(),
        of::<hostname::Hostname>(),
        of::<htpasswd::Htpasswd>(),
        of::<ini_file::IniFile>(),
        of::<known_hosts::KnownHosts>(),
        of::<mount::Mount>(),
        of::<mount_facts::MountFacts>(),
        of::<locale_gen::LocaleGen>(),
        of::<timezone::Timezone>(),
        of::<uri::Uri>(),
        of::<supervisor_program::SupervisorProgram>(),
        of::<user::User>(),
        of::<wait_for::WaitFor>(),
    ]
}
