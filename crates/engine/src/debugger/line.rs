//! What the user types at the debugger.

/// A line, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    Nothing,
    Help(&'a str),
    Print(&'a str),
    Redo,
    Continue,
    Quit,
    Update,
    /// `TARGET = EXPRESSION`
    Assign(&'a str, &'a str),
    /// `del TARGET`
    Delete(&'a str),
    Expression(&'a str),
}

/// Commands and what they do, as `help` shows them.
pub const COMMANDS: &[(&str, &str)] = &[
    ("c", "Continue to next result"),
    ("continue", "Continue to next result"),
    ("h", "List the commands, or say what one of them does"),
    ("help", "List the commands, or say what one of them does"),
    ("p", "Print the value of an expression: task, task.args, task_vars, host, result"),
    ("pprint", "Print the value of an expression: task, task.args, task_vars, host, result"),
    ("q", "Quit"),
    ("quit", "Quit"),
    ("r", "Do the task again"),
    ("redo", "Do the task again"),
    ("u", "Take the task from the playbook again, for changed variables"),
    ("update_task", "Take the task from the playbook again, for changed variables"),
];

impl<'a> Line<'a> {
    pub fn parse(line: &'a str) -> Self {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        // `p = 1` is an assignment, whatever it is good for.
        if !rest.starts_with('=') {
            match (word, rest) {
                ("", _) => return Self::Nothing,
                ("h" | "help", _) => return Self::Help(rest),
                ("?", _) => return Self::Help(rest),
                ("p" | "pprint", _) => return Self::Print(rest),
                ("del", _) => return Self::Delete(rest),
                ("r" | "redo", "") => return Self::Redo,
                ("c" | "continue", "") => return Self::Continue,
                ("q" | "quit" | "EOF", "") => return Self::Quit,
                ("u" | "update_task", "") => return Self::Update,
                _ => {}
            }
        }
        match assignment(line) {
            Some((target, value)) => Self::Assign(target, value),
            None => Self::Expression(line),
        }
    }
}

/// `a = b` outside of quotes and brackets, but not `a == b`.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let bytes = line.as_bytes();
    let mut quote = None;
    let mut depth = 0usize;
    for (at, byte) in bytes.iter().enumerate() {
        match (quote, byte) {
            (Some(q), b) if q == *b => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(*byte),
            (None, b'[' | b'(' | b'{') => depth += 1,
            (None, b']' | b')' | b'}') => depth = depth.saturating_sub(1),
            (None, b'=') if depth == 0 => {
                let before = at.checked_sub(1).map(|i| bytes[i]);
                if bytes.get(at + 1) == Some(&b'=') || matches!(before, Some(b'=' | b'!' | b'<' | b'>')) {
                    return None;
                }
                return Some((line[..at].trim(), line[at + 1..].trim()));
            }
            _ => {}
        }
    }
    None
}

/// One step of a path.
#[derive(Debug, PartialEq, Eq)]
pub enum Part<'a> {
    Name(&'a str),
    /// An expression in brackets.
    Index(&'a str),
}

/// `task.args['a']` as its parts; `None` if it is no path.
pub fn path(text: &str) -> Option<Vec<Part<'_>>> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        if end == 0 || rest.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        parts.push(Part::Name(&rest[..end]));
        rest = rest[end..].trim_start();
        while let Some(inside) = rest.strip_prefix('[') {
            let end = closing(inside)?;
            parts.push(Part::Index(inside[..end].trim()));
            rest = inside[end + 1..].trim_start();
        }
        match rest.strip_prefix('.') {
            Some(after) => rest = after,
            None => return rest.is_empty().then_some(parts),
        }
    }
}

/// Where the bracket closes.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(q), b) if q == b => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'[') => depth += 1,
            (None, b']') if depth == 0 => return Some(at),
            (None, b']') => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_expressions_and_assignments() {
        assert_eq!(Line::parse(" "), Line::Nothing);
        assert_eq!(Line::parse("p task.args\n"), Line::Print("task.args"));
        assert_eq!(Line::parse("redo"), Line::Redo);
        assert_eq!(Line::parse("task.args['a=b'] = 'c == d'"), Line::Assign("task.args['a=b']", "'c == d'"));
        assert_eq!(Line::parse("task_vars['a'] == 1"), Line::Expression("task_vars['a'] == 1"));
        assert_eq!(Line::parse("x >= 1"), Line::Expression("x >= 1"));
        assert_eq!(Line::parse("f(a=1)"), Line::Expression("f(a=1)"));
        assert_eq!(Line::parse("del task.args['x']"), Line::Delete("task.args['x']"));
    }

    #[test]
    fn paths() {
        use Part::{Index, Name};
        assert_eq!(path("task.args['a]']"), Some(vec![Name("task"), Name("args"), Index("'a]'")]));
        assert_eq!(
            path("task_vars[x[0]][1].y"),
            Some(vec![Name("task_vars"), Index("x[0]"), Index("1"), Name("y")])
        );
        for wrong in ["", "1a", "a.", "a[1", "a b", "a()", "a..b"] {
            assert_eq!(path(wrong), None, "{wrong}");
        }
    }
}
