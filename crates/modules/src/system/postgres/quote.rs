//! Quoting for SQL (PostgreSQL's manual, 4.1 Lexical Structure).

/// `"name"`, with inner quotes doubled.
pub fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('\0', "").replace('"', "\"\""))
}

/// `'text'`; with backslashes it becomes `E'...'`, whatever `standard_conforming_strings` says.
pub fn literal(text: &str) -> String {
    let text = text.replace('\0', "").replace('\'', "''");
    if text.contains('\\') { format!("E'{}'", text.replace('\\', "\\\\")) } else { format!("'{text}'") }
}

/// Does a value look like an attempt to smuggle SQL in?
pub fn is_dangerous(text: &str) -> bool {
    let text = text.to_lowercase();
    if !text.contains(['\'', '"']) {
        return false;
    }
    let words =
        ["--", "union", "select", "update", "insert", "delete", "drop", "alter", "create", "truncate"];
    (text.contains(';') || text.contains("--") || text.contains(" or ") || text.contains("union"))
        && (words.iter().any(|w| text.contains(w)) || text.contains('=') || text.contains(';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_quotes() {
        assert_eq!(ident("we\"ird"), "\"we\"\"ird\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'b"), "E'a\\\\''b'");
        assert!(is_dangerous("x'; drop table y; --"));
        assert!(!is_dangerous("it's fine"));
    }
}
