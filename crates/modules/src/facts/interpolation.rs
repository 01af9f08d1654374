//! `%(name)s` in the values of INI files, as Python's `configparser` reads them (`BasicInterpolation`).

use crate::args_repr as python_repr;

/// How deep references may lead to others.
const MAX_DEPTH: usize = 10;

/// The value of `option` of a section, with its references to other options put in.
///
/// `values` are all options of the section, those of `[DEFAULT]` included, with names in lower case. The error is the
/// text of Python's exception.
pub fn interpolate(section: &str, option: &str, values: &[(String, String)]) -> Result<String, String> {
    let raw = find(values, option).unwrap_or_default();
    let mut out = String::new();
    put(&mut out, raw, 1, &Place { section, option, raw, values })?;
    Ok(out)
}

struct Place<'a> {
    section: &'a str,
    option: &'a str,
    raw: &'a str,
    values: &'a [(String, String)],
}

fn find<'a>(values: &'a [(String, String)], name: &str) -> Option<&'a str> {
    values.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn repr(text: &str) -> String {
    python_repr(&text.into())
}

fn put(out: &mut String, mut rest: &str, depth: usize, place: &Place<'_>) -> Result<(), String> {
    let Place { section, option, raw, values } = place;
    let (in_option, in_section, raw) = (repr(option), repr(section), repr(raw));
    if depth > MAX_DEPTH {
        return Err(format!(
            "Recursion limit exceeded in value substitution: option {in_option} in section {in_section} contains an \
             interpolation key which cannot be substituted in {MAX_DEPTH} steps. Raw value: {raw}"
        ));
    }
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(behind) = rest.strip_prefix("%%") {
            out.push('%');
            rest = behind;
            continue;
        }
        let Some(inner) = rest.strip_prefix("%(") else {
            return Err(format!("'%' must be followed by '%' or '(', found: {}", repr(rest)));
        };
        let reference = inner.split_once(')').filter(|(name, _)| !name.is_empty());
        let Some((name, behind)) = reference.and_then(|(name, b)| Some((name, b.strip_prefix('s')?))) else {
            return Err(format!("bad interpolation variable reference {}", repr(rest)));
        };
        let name = name.to_lowercase();
        let Some(value) = find(values, &name) else {
            return Err(format!(
                "Bad value substitution: option {in_option} in section {in_section} contains an interpolation key {} \
                 which is not a valid option name. Raw value: {raw}",
                repr(&name)
            ));
        };
        put(out, value, depth + 1, place)?;
        rest = behind;
    }
    out.push_str(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::interpolate;

    /// What Python 3.11 gives for the same options.
    #[test]
    fn as_python_does_it() {
        let values = [
            ("a", "1"),
            ("ok", "%(A)s and %% end"),
            ("bad", "10% bad"),
            ("missing", "%(nope)s"),
            ("itself", "%(itself)s"),
            ("open", "%(a"),
        ];
        let values = values.map(|(k, v)| (k.to_owned(), v.to_owned()));
        let of = |option: &str| interpolate("s", option, &values);
        assert_eq!(of("ok").as_deref(), Ok("1 and % end"));
        assert_eq!(of("bad").unwrap_err(), "'%' must be followed by '%' or '(', found: '% bad'");
        assert_eq!(
            of("missing").unwrap_err(),
            "Bad value substitution: option 'missing' in section 's' contains an interpolation key 'nope' which is not \
             a valid option name. Raw value: '%(nope)s'"
        );
        assert_eq!(
            of("itself").unwrap_err(),
            "Recursion limit exceeded in value substitution: option 'itself' in section 's' contains an interpolation \
             key which cannot be substituted in 10 steps. Raw value: '%(itself)s'"
        );
        assert_eq!(of("open").unwrap_err(), "bad interpolation variable reference '%(a'");
    }
}
