//! Which variables a text may ask for, without rendering it: every word that could be one.

use std::collections::BTreeSet;

use lang::Value;

/// Names, and whether there may be others that cannot be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub names: BTreeSet<String>,
    pub anything: bool,
}

impl Names {
    /// The names in every template of a value.
    pub fn add_value(&mut self, value: &Value) {
        match value {
            Value::Str(text) if text.is_template() => self.add_text(text.as_str()),
            Value::List(items) => items.iter().for_each(|item| self.add_value(item)),
            Value::Map(map) => map.values().for_each(|item| self.add_value(item)),
            _ => {}
        }
    }

    /// The names in expressions without braces: conditions.
    pub fn add_conditions(&mut self, value: &Value) {
        match value {
            Value::List(items) => items.iter().for_each(|item| self.add_conditions(item)),
            Value::Str(text) => self.add_expression(text.as_str()),
            _ => {}
        }
    }

    /// The names in the templates of a text.
    pub fn add_text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let after = &rest[at + 1..];
            let end = match after.as_bytes().first() {
                Some(b'{') => "}}",
                Some(b'%') => "%}",
                _ => {
                    rest = after;
                    continue;
                }
            };
            let inside = &after[1..];
            let length = end_of(inside, end);
            let inside_text = &inside[..length];
            if end == "%}" {
                let word = inside_text.trim_start_matches(['-', '+']).trim_start();
                // Another file, whose names are not seen here.
                self.anything |= ["include", "import", "extends", "from"].iter().any(|w| word.starts_with(w));
            }
            self.add_expression(inside_text);
            rest = &inside[length..];
        }
    }

    fn add_expression(&mut self, text: &str) {
        let mut chars = text.char_indices().peekable();
        let mut before = ' ';
        while let Some((start, c)) = chars.next() {
            if c == '\'' || c == '"' {
                let mut escaped = false;
                for (_, inner) in chars.by_ref() {
                    if inner == c && !escaped {
                        break;
                    }
                    escaped = inner == '\\' && !escaped;
                }
                before = c;
                continue;
            }
            if c.is_alphabetic() || c == '_' {
                let mut end = start + c.len_utf8();
                while let Some((at, next)) = chars.next_if(|(_, n)| n.is_alphanumeric() || *n == '_') {
                    end = at + next.len_utf8();
                }
                self.add_word(&text[start..end], before);
                before = 'a';
                continue;
            }
            if !c.is_whitespace() {
                before = c;
            }
        }
    }

    fn add_word(&mut self, word: &str, before: char) {
        // Attributes and filters are no variables.
        if matches!(before, '.' | '|') {
            return;
        }
        // Variables by computed names.
        self.anything |= matches!(word, "vars" | "hostvars" | "lookup" | "query" | "q");
        self.names.insert(word.to_owned());
    }

    /// Is it one of the names, as far as anybody can tell?
    pub fn may_use(&self, name: &str) -> bool {
        self.anything || self.names.contains(name)
    }
}

/// Where the template ends: at `end`, unless that is in a string.
fn end_of(text: &str, end: &str) -> usize {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            Some(q) => {
                if c == q && !escaped {
                    quote = None;
                }
                escaped = c == '\\' && !escaped;
            }
            None if c == '\'' || c == '"' => quote = Some(c),
            None if text[at..].starts_with(end) => return at,
            None => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        let mut names = Names::default();
        names.add_text(text);
        names.names.into_iter().collect()
    }

    #[test]
    fn finds_names_but_no_strings_attributes_and_filters() {
        assert_eq!(of("a {{ b.c | d }} e {{ 'f' ~ g[h] }}"), ["b", "g", "h"]);
        assert!(of("{% if x is y %}{{ z }}{% endif %}").contains(&"x".to_owned()));
        assert_eq!(of("{ not: a template }"), Vec::<String>::new());
        assert_eq!(of("{{ '}}' ~ seen }} and don't {{ too }}"), ["seen", "too"]);
    }

    #[test]
    fn computed_names_may_be_any() {
        for text in
            ["{{ vars[x] }}", "{{ lookup('vars', x) }}", "{% include 'x.j2' %}", "{%- import 'x' as y %}"]
        {
            let mut names = Names::default();
            names.add_text(text);
            assert!(names.may_use("whatever"), "{text}");
        }
    }

    #[test]
    fn conditions_have_no_braces() {
        let mut names = Names::default();
        names.add_conditions(&Value::template("r.rc == 0 and 'x' in r.stdout"));
        assert!(names.may_use("r"));
        assert!(!names.may_use("stdout") && !names.may_use("x"));
    }
}
