//! Builds the agent, the static program that travels to the hosts, so that it can be embedded
//! (`src/agent_binary.rs`).
//!
//! It is a build of its own, because it is linked differently: statically against glibc, at a fixed address, and
//! optimized for size. `PROVISION_AGENT` names a program that was built elsewhere instead. The nested build
//! never touches the network: everything it needs is part of what this crate needs itself.

use std::env;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use protocol::{Hash, posix_checksum};

/// What the agent is made of, relative to the workspace.
const SOURCES: [&str; 9] = [
    "Cargo.toml",
    "Cargo.lock",
    "crates/agent/Cargo.toml",
    "crates/agent/src",
    "crates/modules/Cargo.toml",
    "crates/modules/src",
    "crates/protocol/Cargo.toml",
    "crates/protocol/src",
    "crates/provision/build.rs",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=PROVISION_AGENT");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let target = env::var("TARGET")?;
    let agent = match env::var_os("PROVISION_AGENT").filter(|p| !p.is_empty()) {
        Some(prebuilt) => {
            let prebuilt = PathBuf::from(prebuilt);
            println!("cargo::rerun-if-changed={}", prebuilt.display());
            prebuilt
        }
        None => build(&out, &target)?,
    };
    let content = fs::read(&agent).map_err(|e| format!("the agent {}: {e}", agent.display()))?;
    if !content.starts_with(b"\x7fELF") {
        return Err(format!("the agent {} is not a program for Linux", agent.display()).into());
    }
    let gzip = out.join("agent.gz");
    fs::write(&gzip, pack(&content)?)?;
    let described = format!(
        "PackedAgent {{ machine: {machine:?}, gzip: include_bytes!({gzip:?}), size: {size}, hash: {hash:?}, \
         checksum: {checksum} }}",
        machine = target.split('-').next().unwrap_or_default(),
        size = content.len(),
        hash = Hash::of(&content).to_string(),
        checksum = posix_checksum(&content),
    );
    fs::write(out.join("agent.rs"), described)?;
    Ok(())
}

/// As small as it gets: it is sent to every new host. A debug build has no time for that.
fn pack(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let level = if release { Compression::best() } else { Compression::fast() };
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(content)?;
    encoder.finish()
}

/// Run cargo for the agent alone; the path of what it built.
fn build(out: &Path, target: &str) -> Result<PathBuf, Box<dyn Error>> {
    let workspace = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }
    // A debug build wants to be quick, a release build wants a small agent.
    let profile = if env::var("PROFILE")? == "release" { "agent" } else { "agent-dev" };
    // Not the outer build's target directory: that one is locked. `OUT_DIR` is
    // `<target>/<profile>/build/<package>/out`; all profiles share what is built here.
    let target_dir = out.ancestors().nth(4).ok_or("OUT_DIR is not below a target directory")?.join("agent");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(&workspace)
        .args(["build", "--locked", "--offline", "--package", "agent", "--bin", "provision-agent"])
        .args(["--profile", profile, "--target", target, "--target-dir"])
        .arg(&target_dir);
    // Settings of the outer build (clippy's wrapper among them) are not for this one.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let outer =
            ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTC"];
        if outer.contains(&name.as_str())
            || name == "CARGO_TARGET_DIR"
            || name == "CARGO_MAKEFLAGS"
            || name.starts_with("CARGO_FEATURE_")
            || name.starts_with("CARGO_CFG_")
            || name.starts_with("CARGO_PROFILE_")
        {
            cargo.env_remove(name);
        }
    }
    cargo.env("RUSTFLAGS", "-C target-feature=+crt-static -C relocation-model=static");
    let output = cargo.output().map_err(|e| format!("could not start cargo for the agent: {e}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the agent could not be built:\n{said}").into());
    }
    Ok(target_dir.join(target).join(profile).join("provision-agent"))
}
