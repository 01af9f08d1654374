//! What the usual mistakes look like: turns libyaml's words about a line into what to do about it.

/// A sentence for the error and what to write instead, if the line shows one of the usual mistakes.
pub(crate) struct Hint {
    pub message: &'static str,
    pub help: &'static str,
}

/// Look at the text around an error at `line` (from 1), `column` (from 1).
pub(crate) fn usual_mistake(text: &str, line: u32, column: u32, problem: &str) -> Option<Hint> {
    let index = usize::try_from(line).ok()?.checked_sub(1)?;
    let target = text.lines().nth(index).unwrap_or_default();
    let value = value_of(target);
    if value.is_some_and(|v| v.starts_with("{{"))
        && (problem.contains("unhashable") || problem.contains("expected"))
    {
        return Some(Hint {
            message: "This may be an issue with missing quotes around a template block",
            help: "a value that starts with a template has to be quoted: raw: \"{{ some_var }}\"",
        });
    }
    let before: String = target.chars().take(usize::try_from(column).unwrap_or(0)).collect();
    if before.contains('\t') {
        return Some(Hint { message: "Tabs are usually invalid in YAML", help: "indent with spaces" });
    }
    if problem.starts_with("mapping values are not allowed") && target.contains(": ") {
        return Some(Hint {
            message: "Colons in unquoted values must be followed by a non-space character",
            help: "quote the whole value: raw: \"echo 'name: ansible'\"",
        });
    }
    if let Some(quote) = value.and_then(|v| v.chars().next()).filter(|c| matches!(c, '"' | '\''))
        && value.is_some_and(|v| v.matches(quote).count() > 1 && !v.trim_end().ends_with(quote))
    {
        return Some(Hint {
            message: "Values starting with a quote must end with the same quote",
            help: "quote the whole value: raw: '\"foo\" in bar'",
        });
    }
    None
}

/// What follows `key: ` or `- ` on a line.
fn value_of(line: &str) -> Option<&str> {
    let (_, value) = line.split_once(": ").or_else(|| line.trim_start().split_once("- "))?;
    Some(value.trim_start())
}
