//! The table of file systems, fstab(5).

/// One line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub src: String,
    pub name: String,
    pub fstype: String,
    pub opts: String,
    pub dump: String,
    pub passno: String,
}

/// Blanks inside a field are written in octal.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011").replace('\n', "\\012")
}

/// A field as it is meant.
pub fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let code = tail.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(code) if byte == b'\\' => {
                bytes.push(code);
                rest = &tail[3..];
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Entry {
    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if line.trim_start().starts_with('#') || !(4..=6).contains(&fields.len()) {
            return None;
        }
        let field = |at: usize| fields.get(at).copied().unwrap_or("0");
        Some(Self {
            src: unescaped(field(0)),
            name: unescaped(field(1)),
            fstype: field(2).to_owned(),
            opts: unescaped(field(3)),
            dump: field(4).to_owned(),
            passno: field(5).to_owned(),
        })
    }

    fn line(&self) -> String {
        let [src, name, opts] = [&self.src, &self.name, &self.opts].map(|text| escaped(text));
        format!("{src} {name} {} {opts} {} {}", self.fstype, self.dump, self.passno)
    }

    /// Are both about the same place? Areas for swapping have none: there it is what they are.
    fn is_same(&self, name: &str, src: Option<&str>) -> bool {
        self.name == name && (name != "none" || src.is_none_or(|src| src == self.src))
    }
}

pub struct Table<'a> {
    lines: Vec<&'a str>,
}

impl<'a> Table<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { lines: text.lines().collect() }
    }

    /// The table with this entry; `None` if it has it already.
    pub fn with(&self, entry: Entry) -> Option<String> {
        let mut found = false;
        let mut changed = false;
        let mut text = String::new();
        for line in &self.lines {
            match Entry::parse(line) {
                Some(old) if old.is_same(&entry.name, Some(&entry.src)) => {
                    found = true;
                    if old == entry {
                        text.push_str(line);
                    } else {
                        changed = true;
                        text.push_str(&entry.line());
                    }
                }
                _ => text.push_str(line),
            }
            text.push('\n');
        }
        if !found {
            text.push_str(&entry.line());
            text.push('\n');
        }
        (changed || !found).then_some(text)
    }

    /// The table without a place; `None` if it does not have it.
    pub fn without(&self, name: &str, src: Option<&str>) -> Option<String> {
        let goes = |line: &&&str| Entry::parse(line).is_some_and(|entry| entry.is_same(name, src));
        self.lines.iter().find(goes)?;
        Some(self.lines.iter().filter(|line| !goes(line)).flat_map(|line| [line, "\n"]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_written_in_octal() {
        let text = "# table\n/dev/a\\040b /mnt/c\\040d ext4 defaults 0 2\n";
        let table = Table::new(text);
        let mut entry = Entry::parse(text.lines().nth(1).unwrap()).unwrap();
        assert_eq!((entry.src.as_str(), entry.name.as_str()), ("/dev/a b", "/mnt/c d"));
        assert_eq!(table.with(entry.clone()), None);
        entry.opts = "ro".into();
        assert_eq!(table.with(entry).unwrap(), "# table\n/dev/a\\040b /mnt/c\\040d ext4 ro 0 2\n");
        assert_eq!(table.without("/mnt/c d", None).unwrap(), "# table\n");
        assert_eq!(table.without("/mnt/c", None), None);
    }
}
