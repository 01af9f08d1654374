//! The format of `authorized_keys` (sshd(8)).

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Options as they are written, without the commas between.
    pub options: Vec<String>,
    pub kind: String,
    /// The key itself, in base64; what tells keys apart.
    pub body: String,
    pub comment: String,
}

const KINDS: &[&str] = &[
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-dss",
    "ssh-rsa",
    "ssh-xmss@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
    "sk-ssh-ed25519@openssh.com",
];

impl Key {
    pub fn parse(line: &str) -> Option<Self> {
        let kind_of = |word: &str| KINDS.contains(&word) || word.ends_with("-cert-v01@openssh.com");
        let words = fields(line);
        let at = words.iter().take(2).position(|w| kind_of(w))?;
        let body = words.get(at + 1)?;
        let own = if at == 0 { Vec::new() } else { options(words[0]) };
        // The comment is the rest of the line, with the blanks it has.
        let end = body.as_ptr() as usize + body.len() - line.as_ptr() as usize;
        Some(Self {
            options: own,
            kind: words[at].into(),
            body: (*body).into(),
            comment: line[end..].trim().into(),
        })
    }

    fn line(&self) -> String {
        let mut out = self.options.join(",");
        if !out.is_empty() {
            out.push(' ');
        }
        out += &format!("{} {}", self.kind, self.body);
        if !self.comment.is_empty() {
            out += &format!(" {}", self.comment);
        }
        out
    }
}

/// Words between blanks that are not in quotes.
fn fields(line: &str) -> Vec<&str> {
    pieces(line, |c| c == ' ' || c == '\t').into_iter().filter(|w| !w.is_empty()).collect()
}

/// Options between commas that are not in quotes.
pub fn options(text: &str) -> Vec<String> {
    pieces(text, |c| c == ',')
        .into_iter()
        .map(str::trim)
        .filter(|o| !o.is_empty())
        .map(str::to_owned)
        .collect()
}

fn pieces(text: &str, separates: impl Fn(char) -> bool) -> Vec<&str> {
    let (mut out, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => quoted = !quoted,
            c if separates(c) && !quoted => {
                out.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    out.push(&text[start..]);
    out
}

#[derive(Debug)]
enum Line {
    Key(Key),
    /// Comments, blank lines and what is no key.
    Other(String),
}

#[derive(Debug, Default)]
pub struct KeyFile {
    lines: Vec<Line>,
}

impl KeyFile {
    pub fn parse(text: &str) -> Self {
        let line = |line: &str| match Key::parse(line) {
            Some(key) if !line.trim_start().starts_with('#') => Line::Key(key),
            _ => Line::Other(line.to_owned()),
        };
        Self { lines: text.lines().map(line).collect() }
    }

    /// Add the key, or replace the same key with other options or another comment.
    pub fn put(&mut self, key: Key) -> bool {
        if self.lines.iter().any(|l| matches!(l, Line::Key(k) if *k == key)) {
            return false;
        }
        self.remove(&key.body);
        self.lines.push(Line::Key(key));
        true
    }

    pub fn remove(&mut self, body: &str) -> bool {
        let before = self.lines.len();
        self.lines.retain(|l| !matches!(l, Line::Key(k) if k.body == body));
        self.lines.len() != before
    }

    /// Remove everything else, comments too.
    pub fn keep_only(&mut self, bodies: &[String]) -> bool {
        let before = self.lines.len();
        self.lines.retain(|l| matches!(l, Line::Key(k) if bodies.contains(&k.body)));
        self.lines.len() != before
    }

    pub fn text(&self) -> String {
        let line = |l: &Line| match l {
            Line::Key(key) => key.line() + "\n",
            Line::Other(text) => format!("{text}\n"),
        };
        self.lines.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_apart_and_put_together() {
        let line = r#"command="echo \"a, b\"",no-pty ssh-rsa AAAA== me at  home"#;
        let key = Key::parse(line).unwrap();
        assert_eq!(key.options, [r#"command="echo \"a, b\"""#, "no-pty"]);
        assert_eq!(key.comment, "me at  home");
        assert_eq!(key.line(), line);
        assert_eq!(Key::parse("not a key"), None);
        assert_eq!(Key::parse("ssh-rsa"), None);
    }

    #[test]
    fn what_is_no_key_stays() {
        let mut file = KeyFile::parse("# mine\n\nssh-rsa broken\n");
        assert!(file.put(Key::parse("ssh-ed25519 BBBB x").unwrap()));
        assert_eq!(file.text(), "# mine\n\nssh-rsa broken\nssh-ed25519 BBBB x\n");
        assert!(!file.put(Key::parse("ssh-ed25519 BBBB x").unwrap()));
        assert!(file.remove("BBBB"));
    }
}
