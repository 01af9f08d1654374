//! `provision vault`: encrypted files and strings, as ansible-vault makes them.

use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use lang::vault::{VaultSecrets, VaultSource, command};

use super::super::options::VaultOptions;
use super::super::setup::absolute;
use super::super::{Exit, Failure};
use super::{asked_twice, editor};
use crate::config::{Config, expand};

/// Encrypt and decrypt files and strings.
#[derive(Clone, Debug, Args)]
pub struct VaultCommand {
    #[command(subcommand)]
    action: Action,
    /// Say more
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Write a new encrypted file in the editor
    Create {
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        encrypt: EncryptId,
        /// Start the editor without a terminal, too
        #[arg(long)]
        skip_tty_check: bool,
    },
    /// Decrypt files
    Decrypt {
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        output: Output,
    },
    /// Change an encrypted file in the editor
    Edit {
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        encrypt: EncryptId,
    },
    /// Show encrypted files
    View {
        #[command(flatten)]
        files: Files,
    },
    /// Encrypt files
    Encrypt {
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        encrypt: EncryptId,
        #[command(flatten)]
        output: Output,
    },
    /// Encrypt strings, as YAML to be pasted into a file of variables
    #[command(name = "encrypt_string")]
    EncryptString(EncryptString),
    /// Encrypt files with another password
    Rekey {
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        encrypt: EncryptId,
        /// File with the new password
        #[arg(long, value_name = "FILE", conflicts_with = "new_vault_id")]
        new_vault_password_file: Option<String>,
        /// New vault identity: ID@SOURCE
        #[arg(long, value_name = "ID")]
        new_vault_id: Option<String>,
    },
}

#[derive(Clone, Debug, Args)]
struct Files {
    #[command(flatten)]
    vault: VaultOptions,
    /// Files; standard input without any
    #[arg(value_name = "FILE")]
    files: Vec<String>,
}

#[derive(Clone, Debug, Args)]
struct EncryptId {
    /// The vault identity to encrypt with, where several are given
    #[arg(long, value_name = "ID")]
    encrypt_vault_id: Option<String>,
}

#[derive(Clone, Debug, Args)]
struct Output {
    /// Write to this file; - is standard output
    #[arg(long, value_name = "FILE")]
    output: Option<String>,
}

#[derive(Clone, Debug, Args)]
struct EncryptString {
    #[command(flatten)]
    vault: VaultOptions,
    #[command(flatten)]
    encrypt: EncryptId,
    #[command(flatten)]
    output: Output,
    /// Ask for the string
    #[arg(short, long)]
    prompt: bool,
    /// Show what is typed
    #[arg(long)]
    show_input: bool,
    /// Name of the variable (repeatable, for each string)
    #[arg(short, long, value_name = "NAME")]
    name: Vec<String>,
    /// Name of the variable for what comes from standard input
    #[arg(long, value_name = "NAME")]
    stdin_name: Option<String>,
    /// Strings to encrypt; - is standard input
    #[arg(value_name = "STRING")]
    strings: Vec<String>,
}

/// Carry out one action; the exit code.
pub fn run(options: VaultCommand) -> Result<u8, Failure> {
    let config = Config::load().map_err(|e| Failure::with(Exit::Options, e))?;
    super::super::setup::announce(&config, options.verbose);
    match options.action {
        Action::Create { files, encrypt, skip_tty_check } => {
            create(&files, &encrypt, skip_tty_check, &config)
        }
        Action::Decrypt { files, output } => decrypt(&files, &output, &config),
        Action::Edit { files, .. } => edit(&files, &config),
        Action::View { files } => view(&files, &config),
        Action::Encrypt { files, encrypt, output } => encrypt_files(&files, &encrypt, &output, &config),
        Action::EncryptString(options) => encrypt_string(&options, &config),
        Action::Rekey { files, new_vault_password_file, new_vault_id, .. } => {
            rekey(&files, new_vault_password_file.as_deref(), new_vault_id.as_deref(), &config)
        }
    }?;
    Ok(0)
}

/// What opens envelopes: without any source the user is asked.
fn secrets_to_decrypt(options: &VaultOptions, config: &Config) -> Result<VaultSecrets, Failure> {
    let mut sources = super::sources(options, config);
    if sources.is_empty() {
        sources.push(VaultSource::Prompt { id: super::default_id(config) });
    }
    let secrets = super::read(&sources, config, &warn)?;
    if secrets.is_empty() {
        return Err(Failure::new("A vault password is required to use Ansible's Vault"));
    }
    Ok(secrets)
}

/// What seals envelopes, and the id to do it with. A new password is asked for twice.
fn secrets_to_encrypt(
    options: &VaultOptions,
    encrypt: &EncryptId,
    config: &Config,
) -> Result<(VaultSecrets, Option<String>), Failure> {
    let sources = super::sources(options, config);
    let secrets = match sources.as_slice() {
        [] => {
            let id = super::default_id(config);
            let secret = asked_twice(&id).inspect_err(|error| warn_about_prompt(&id, error))?;
            VaultSecrets::new(vec![(id, secret)])
                .with_salt(config.text("VAULT_ENCRYPT_SALT").map(String::into_bytes))
        }
        sources => super::read(sources, config, &warn)?,
    };
    let id = encrypt.encrypt_vault_id.clone().or_else(|| config.text("DEFAULT_VAULT_ENCRYPT_IDENTITY"));
    let mut ids: Vec<&str> = secrets.ids().collect();
    if id.is_none() && ids.len() > 1 {
        ids.sort_unstable();
        let message = format!(
            "The vault-ids {} are available to encrypt. Specify the vault-id to encrypt with --encrypt-vault-id",
            ids.join(",")
        );
        return Err(Failure::with(Exit::Options, message));
    }
    Ok((secrets, id))
}

fn warn(text: String) {
    eprintln!("[WARNING]: {text}");
}

fn warn_about_prompt(id: &str, error: &lang::Error) {
    warn(format!("Error in vault password prompt ({id}): {error}"));
}

impl Files {
    /// The files, or standard input.
    fn all(&self) -> Vec<String> {
        if self.files.is_empty() { vec!["-".into()] } else { self.files.clone() }
    }

    fn the_one(&self, action: &str) -> Result<PathBuf, Failure> {
        match self.files.as_slice() {
            [file] => Ok(absolute(&expand(file))),
            _ => Err(Failure::with(
                Exit::Options,
                format!("ansible-vault {action} can take only one filename argument"),
            )),
        }
    }
}

impl Output {
    fn check(&self, files: &[String]) -> Result<(), Failure> {
        if self.output.is_some() && files.len() > 1 {
            return Err(Failure::with(
                Exit::Options,
                "At most one input file may be used with the --output option",
            ));
        }
        Ok(())
    }
}

/// The content of a file or of standard input.
fn input(file: &str, what: &str) -> Result<Vec<u8>, Failure> {
    if file != "-" {
        return Ok(command::read_file(&absolute(&expand(file)))?);
    }
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprintln!("Reading {what} input from stdin");
    }
    let mut bytes = Vec::new();
    stdin.read_to_end(&mut bytes).map_err(|e| Failure::new(format!("standard input: {e}")))?;
    Ok(bytes)
}

/// Write a text to where it is wanted: the output, or the file that it came from.
fn put(text: &[u8], output: Option<&str>, from: &str) -> Result<(), Failure> {
    let target = output.unwrap_or(from);
    if target == "-" {
        return print(text);
    }
    Ok(command::write_file(&absolute(&expand(target)), text)?)
}

fn print(text: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("standard output: {e}")))
        }
        _ => Ok(()),
    }
}

/// What a file is called in messages.
fn shown(file: &str) -> String {
    if file == "-" { file.to_owned() } else { absolute(&expand(file)).to_string_lossy().into_owned() }
}

/// Said on a terminal only, so that it never is in a pipe.
fn successful(what: &str) {
    if std::io::stdout().is_terminal() {
        eprintln!("{what} successful");
    }
}

fn encrypt_files(
    files: &Files,
    encrypt: &EncryptId,
    output: &Output,
    config: &Config,
) -> Result<(), Failure> {
    output.check(&files.files)?;
    let (secrets, id) = secrets_to_encrypt(&files.vault, encrypt, config)?;
    for file in files.all() {
        let envelope = command::encrypt(&secrets, &input(&file, "plaintext")?, id.as_deref())?;
        put(envelope.as_bytes(), output.output.as_deref(), &file)?;
    }
    successful("Encryption");
    Ok(())
}

fn decrypt(files: &Files, output: &Output, config: &Config) -> Result<(), Failure> {
    output.check(&files.files)?;
    let secrets = secrets_to_decrypt(&files.vault, config)?;
    for file in files.all() {
        let text = command::decrypt(&secrets, &input(&file, "ciphertext")?, &shown(&file))
            .map_err(|e| Failure { exit: Exit::Error, errors: vec![e] })?;
        put(&text, output.output.as_deref(), &file)?;
    }
    successful("Decryption");
    Ok(())
}

fn view(files: &Files, config: &Config) -> Result<(), Failure> {
    let secrets = secrets_to_decrypt(&files.vault, config)?;
    for file in files.all() {
        let mut text = command::decrypt(&secrets, &input(&file, "ciphertext")?, &file)
            .map_err(|e| Failure { exit: Exit::Error, errors: vec![e] })?;
        if !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        page(&text, config)?;
    }
    Ok(())
}

/// Show a text in the pager if there is a terminal, otherwise print it.
fn page(text: &[u8], config: &Config) -> Result<(), Failure> {
    let pager = config.text("PAGER").unwrap_or_else(|| "less".into());
    let words = shlex::split(&pager).unwrap_or_default();
    let Some((program, args)) = words.split_first().filter(|_| std::io::stdout().is_terminal()) else {
        return print(text);
    };
    let mut process = std::process::Command::new(program);
    process.args(args).stdin(std::process::Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        process.env("LESS", config.text("PAGER_LESS").unwrap_or_else(|| "FRSX".into()));
    }
    let Ok(mut child) = process.spawn() else { return print(text) };
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever leaves the pager early has read enough.
        let _ = stdin.write_all(text);
    }
    let _ = child.wait();
    Ok(())
}

fn create(files: &Files, encrypt: &EncryptId, anywhere: bool, config: &Config) -> Result<(), Failure> {
    let path = files.the_one("create")?;
    let (secrets, id) = secrets_to_encrypt(&files.vault, encrypt, config)?;
    if !anywhere && !std::io::stdout().is_terminal() {
        return Err(Failure::with(Exit::Options, "not a tty, editor cannot be opened"));
    }
    if path.is_file() {
        return Err(Failure::new(format!("{} exists, please use 'edit' instead", files.files[0])));
    }
    if let Some(directory) = path.parent()
        && !directory.is_dir()
    {
        std::fs::create_dir_all(directory)
            .map_err(|e| Failure::new(format!("{} could not be made: {e}", directory.display())))?;
    }
    let text = editor::edit(b"", &path, config)?;
    let envelope = command::encrypt(&secrets, &text, id.as_deref())?;
    Ok(command::write_file(&path, envelope.as_bytes())?)
}

fn edit(files: &Files, config: &Config) -> Result<(), Failure> {
    let secrets = secrets_to_decrypt(&files.vault, config)?;
    for file in &files.files {
        let path = std::fs::canonicalize(expand(file)).unwrap_or_else(|_| absolute(Path::new(file)));
        let opened = command::open_to_edit(&secrets, &command::read_file(&path)?, &path.to_string_lossy())
            .map_err(|e| Failure { exit: Exit::Error, errors: vec![e] })?;
        let text = editor::edit(&opened.text, &path, config)?;
        if text != opened.text {
            command::write_file(&path, secrets.encrypt_again(&opened, &text)?.as_bytes())?;
        }
    }
    Ok(())
}

fn rekey(files: &Files, file: Option<&str>, new_id: Option<&str>, config: &Config) -> Result<(), Failure> {
    let old = secrets_to_decrypt(&files.vault, config)?;
    let default = super::default_id(config);
    let source = match (new_id, file) {
        (Some(id), _) => VaultSource::parse(id),
        (None, Some(file)) => VaultSource::File { id: default, path: file.to_owned() },
        (None, None) => VaultSource::Prompt { id: default },
    };
    let new = match &source {
        VaultSource::Prompt { id } => {
            let secret = asked_twice(id).inspect_err(|error| warn_about_prompt(id, error))?;
            VaultSecrets::new(vec![(id.clone(), secret)])
        }
        source => super::read(std::slice::from_ref(source), config, &warn)?,
    };
    for file in &files.files {
        let path = absolute(&expand(file));
        let envelope = command::rekey(&old, &new, &command::read_file(&path)?, None, &path.to_string_lossy())
            .map_err(|e| Failure { exit: Exit::Error, errors: vec![e] })?;
        command::write_file(&path, envelope.as_bytes())?;
    }
    super::super::out("Rekey successful\n");
    Ok(())
}

/// A string to encrypt, and the name it goes by.
struct Plain {
    name: Option<String>,
    text: Vec<u8>,
    source: &'static str,
}

fn encrypt_string(options: &EncryptString, config: &Config) -> Result<(), Failure> {
    let (secrets, id) = secrets_to_encrypt(&options.vault, &options.encrypt, config)?;
    let mut plain = Vec::new();
    if options.prompt {
        plain.push(prompted(options)?);
    }
    let from_stdin = options.stdin_name.is_some()
        || options.strings.iter().any(|s| s == "-")
        || (options.strings.is_empty() && !options.prompt);
    if from_stdin {
        let mut stdin = std::io::stdin();
        if stdin.is_terminal() {
            eprintln!("Reading plaintext input from stdin. (ctrl-d to end input, twice without a newline)");
        }
        let mut text = Vec::new();
        stdin.read_to_end(&mut text).map_err(|e| Failure::new(format!("standard input: {e}")))?;
        if text.is_empty() {
            return Err(Failure::with(Exit::Options, "stdin was empty, not encrypting"));
        }
        if std::io::stdout().is_terminal() && !text.ends_with(b"\n") {
            super::super::out("\n");
        }
        plain.push(Plain { name: options.stdin_name.clone(), text, source: "stdin" });
    }
    let given = options.strings.iter().filter(|s| *s != "-").count();
    if let Some(last) = options.name.last().filter(|_| options.name.len() < given) {
        eprintln!("The number of --name options do not match the number of args.");
        eprintln!("The last named variable will be \"{last}\". The rest will not have names.");
    }
    let mut names = options.name.iter();
    for text in options.strings.iter().filter(|s| *s != "-") {
        if text.is_empty() {
            return Err(Failure::with(
                Exit::Options,
                "The plaintext provided from the command line args was empty, not encrypting",
            ));
        }
        plain.push(Plain {
            name: names.next().cloned(),
            text: text.clone().into_bytes(),
            source: "the command line args",
        });
    }
    let many = plain.len() > 1;
    let mut written = Vec::new();
    for (index, plain) in plain.iter().enumerate() {
        if many {
            let number = index + 1;
            match &plain.name {
                Some(name) => eprintln!(
                    "# The encrypted version of variable (\"{name}\", the string #{number} from {}).",
                    plain.source
                ),
                None => eprintln!("# The encrypted version of the string #{number} from {}.)", plain.source),
            }
        }
        let yaml = command::encrypt_string(&secrets, &plain.text, plain.name.as_deref(), id.as_deref())?;
        written.push(yaml + "\n");
    }
    put(written.concat().as_bytes(), options.output.output.as_deref(), "-")?;
    successful("Encryption");
    Ok(())
}

fn prompted(options: &EncryptString) -> Result<Plain, Failure> {
    let eof = || Failure::new("nothing was entered");
    let name = match options.name.first() {
        Some(name) => Some(name.clone()),
        None => super::super::terminal::ask_line("Variable name (enter for no name): ")
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty()),
    };
    let prompt = "String to encrypt: ";
    let text = if options.show_input {
        super::super::terminal::ask_line(prompt)
    } else {
        let text = super::super::terminal::ask_secret("String to encrypt (hidden): ").ok_or_else(eof)?;
        let again = super::super::terminal::ask_secret("Confirm string to encrypt (hidden): ");
        if again.as_ref() != Some(&text) {
            return Err(Failure::with(Exit::Options, "the strings do not match"));
        }
        Some(text)
    }
    .ok_or_else(eof)?;
    if text.is_empty() {
        return Err(Failure::with(
            Exit::Options,
            "The plaintext provided from the prompt was empty, not encrypting",
        ));
    }
    Ok(Plain { name, text: text.into_bytes(), source: "the interactive prompt" })
}
