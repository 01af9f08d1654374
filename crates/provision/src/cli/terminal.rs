//! The person in front of the terminal: questions and their answers.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use engine::user::{PauseAnswer, PauseQuestion, StepAnswer, User, VarsPrompt};
use futures::future::LocalBoxFuture;
use protocol::Secret;
use tokio::sync::Mutex;
use transport::{BoxFuture, Prompter, Question, UnknownHostKey};

mod keys;

/// Is the file descriptor a terminal? 0, 1 and 2 are meant.
pub fn is_terminal(descriptor: i32) -> bool {
    match descriptor {
        0 => std::io::stdin().is_terminal(),
        1 => std::io::stdout().is_terminal(),
        _ => std::io::stderr().is_terminal(),
    }
}

/// Columns of the terminal that output goes to.
pub fn width() -> Option<u16> {
    #[repr(C)]
    struct Size {
        rows: u16,
        columns: u16,
        x: u16,
        y: u16,
    }
    if !is_terminal(1) {
        return None;
    }
    let mut size = Size { rows: 0, columns: 0, x: 0, y: 0 };
    // SAFETY: TIOCGWINSZ writes a `struct winsize`, which `Size` is (ioctl_tty(2)).
    let done = unsafe { nix::libc::ioctl(1, nix::libc::TIOCGWINSZ, &mut size) };
    (done == 0 && size.columns > 0).then_some(size.columns)
}

/// Ask for something that must not be seen. `None` without an answer.
pub fn ask_secret(prompt: &str) -> Option<String> {
    // Before the prompt is seen: whoever (or whatever) answers at once must not be shown either.
    let _hidden = NoEcho::new();
    if std::fs::File::open("/dev/tty").is_ok() {
        return rpassword::prompt_password(prompt).ok();
    }
    // Without a terminal the answer comes from standard input, as Python's getpass takes it.
    eprint!("{prompt}");
    let _ = std::io::stderr().flush();
    line_of_input()
}

/// The terminal without echo; as it was when dropped.
struct NoEcho(Option<(std::fs::File, nix::sys::termios::Termios)>);

impl NoEcho {
    fn new() -> Self {
        use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
        let open = std::fs::File::options().read(true).write(true).open("/dev/tty");
        let Some((terminal, before)) = open.ok().and_then(|tty| tcgetattr(&tty).ok().map(|was| (tty, was)))
        else {
            return Self(None);
        };
        let mut hidden = before.clone();
        hidden.local_flags.remove(LocalFlags::ECHO);
        let _ = tcsetattr(&terminal, SetArg::TCSANOW, &hidden);
        Self(Some((terminal, before)))
    }
}

impl Drop for NoEcho {
    fn drop(&mut self) {
        if let Some((terminal, before)) = &self.0 {
            let _ = nix::sys::termios::tcsetattr(terminal, nix::sys::termios::SetArg::TCSANOW, before);
        }
    }
}

/// Ask for a line.
pub fn ask_line(prompt: &str) -> Option<String> {
    let mut out = std::io::stdout();
    let _ = out.write_all(prompt.as_bytes());
    let _ = out.flush();
    line_of_input()
}

/// `None` at the end of the input.
fn line_of_input() -> Option<String> {
    let mut line = String::new();
    match std::io::stdin().read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line.trim_end_matches(['\n', '\r']).to_owned()),
    }
}

async fn blocking<T: Send + 'static>(ask: impl FnOnce() -> Option<T> + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(ask).await.ok().flatten()
}

/// Runs `print` while the live line is out of the way.
pub type Suspend = Arc<dyn Fn(&mut dyn FnMut()) + Send + Sync>;

/// Asks on the terminal, one thing at a time.
pub struct Terminal {
    one: Arc<Mutex<()>>,
    suspend: Suspend,
}

impl Terminal {
    pub fn new(suspend: Suspend) -> Self {
        Self { one: Arc::default(), suspend }
    }

    async fn secret(&self, prompt: String) -> Option<String> {
        let _one = self.one.lock().await;
        let suspend = self.suspend.clone();
        blocking(move || {
            let mut answer = None;
            suspend(&mut || answer = ask_secret(&prompt));
            answer
        })
        .await
    }

    async fn line(&self, prompt: String) -> Option<String> {
        let _one = self.one.lock().await;
        let suspend = self.suspend.clone();
        blocking(move || {
            let mut answer = None;
            suspend(&mut || answer = ask_line(&prompt));
            answer
        })
        .await
    }
}

impl Prompter for Terminal {
    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Option<Secret>> {
        Box::pin(async move {
            if !is_terminal(0) {
                return None;
            }
            let (text, echo) = match question {
                Question::Passphrase { file } => {
                    (format!("Enter passphrase for key '{}': ", file.display()), false)
                }
                Question::Password { user, host } => (format!("{user}@{host}'s password: "), false),
                Question::Interactive { user, host, prompt, echo, .. } => {
                    (format!("({user}@{host}) {prompt}"), *echo)
                }
            };
            let answer = if echo { self.line(text).await } else { self.secret(text).await };
            answer.map(Secret::new)
        })
    }

    fn accept_host_key<'a>(&'a self, key: &'a UnknownHostKey) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            if !is_terminal(0) {
                return false;
            }
            let text = format!(
                "The authenticity of host '{}' can't be established.\n{} key fingerprint is {}.\nAre you sure you want to \
                 continue connecting (yes/no)? ",
                key.host, key.key_type, key.fingerprint
            );
            self.line(text).await.is_some_and(|answer| answer.trim().eq_ignore_ascii_case("yes"))
        })
    }
}

impl User for Terminal {
    fn is_interactive(&self) -> bool {
        keys::in_foreground()
    }

    fn show(&self, text: &str) {
        (self.suspend)(&mut || {
            print!("{text}");
            let _ = std::io::stdout().flush();
        });
    }

    fn pause(&self, question: &PauseQuestion) -> LocalBoxFuture<'_, PauseAnswer> {
        let question = question.clone();
        Box::pin(async move {
            let _one = self.one.lock().await;
            if !keys::in_foreground() {
                tokio::time::sleep(Duration::from_secs(question.seconds.unwrap_or(0))).await;
                return PauseAnswer::default();
            }
            let suspend = self.suspend.clone();
            let answer = blocking(move || {
                let mut answer = PauseAnswer::default();
                suspend(&mut || answer = keys::pause(&question));
                Some(answer)
            });
            answer.await.unwrap_or_default()
        })
    }

    fn step(&self, task: &str) -> LocalBoxFuture<'_, StepAnswer> {
        let prompt = format!("Perform task: {task} (N)o/(y)es/(c)ontinue: ");
        Box::pin(async move {
            let answer = self.line(prompt).await.unwrap_or_default().trim().to_lowercase();
            match answer.as_str() {
                "y" | "yes" => StepAnswer::Yes,
                "c" | "continue" => StepAnswer::Continue,
                _ => StepAnswer::No,
            }
        })
    }

    fn prompt(&self, prompt: &VarsPrompt) -> LocalBoxFuture<'_, Option<String>> {
        let prompt = prompt.clone();
        Box::pin(async move {
            let text = match &prompt.default {
                Some(default) => format!("{} [{default}]: ", prompt.text),
                None => format!("{}: ", prompt.text),
            };
            loop {
                let ask = |text: String| async {
                    if prompt.private { self.secret(text).await } else { self.line(text).await }
                };
                let answer = ask(text.clone()).await?;
                if prompt.confirm && ask(format!("confirm {text}")).await? != answer {
                    (self.suspend)(&mut || println!("***** VALUES ENTERED DO NOT MATCH ****"));
                    continue;
                }
                return Some(if answer.is_empty() {
                    prompt.default.clone().unwrap_or_default()
                } else {
                    answer
                });
            }
        })
    }

    fn debug(&self, question: &str) -> LocalBoxFuture<'_, Option<String>> {
        let question = question.to_owned();
        Box::pin(async move { self.line(question).await })
    }
}
