//! From what a module printed to its result.

use serde_json::Value;

use crate::{Map, ModuleError, ProcessOutput, Result};

/// The result in a module's output; whatever it printed around it is left away.
pub fn result(output: &ProcessOutput, interpreter: Option<&str>) -> Result<Map> {
    let text = output.out();
    let (found, junk) = match object_in(&text) {
        Ok(found) => found,
        Err(why) => return Err(unreadable(output, interpreter, &why)),
    };
    let mut result = match serde_json::from_str(found) {
        Ok(Value::Object(result)) => result,
        Ok(_) => return Err(unreadable(output, interpreter, "it is not a dictionary")),
        Err(e) => return Err(unreadable(output, interpreter, &e.to_string())),
    };
    let mut warnings = Vec::new();
    if !junk.is_empty() {
        warnings.push(format!("Module invocation had junk after the JSON data: {}", junk.join("\n")));
    }
    if result.get("results").is_some_and(|r| !r.is_array())
        && let Some(own) = result.remove("results")
    {
        result.insert("ansible_module_results".into(), own);
        warnings.push(
            "Found internal 'results' key in module return, renamed to 'ansible_module_results'.".to_owned(),
        );
    }
    let internal = |key: &String| key.starts_with("_ansible_") && key != "_ansible_verbose_always";
    for key in result.keys().filter(|k| internal(k)).cloned().collect::<Vec<_>>() {
        if let Some(value) = result.remove(&key) {
            warnings.push(format!(
                "Removed unexpected internal key in module return: {key} = {}",
                crate::python_text(&value)
            ));
        }
    }
    super::summaries::resolve(&mut result);
    if !result.contains_key("failed") && result.get("rc").is_some_and(|rc| rc != 0 && rc != "0") {
        result.insert("failed".into(), true.into());
    }
    if !warnings.is_empty() {
        match result.get_mut("warnings") {
            Some(Value::Array(list)) => list.extend(warnings.into_iter().map(Value::from)),
            _ => drop(result.insert("warnings".into(), warnings.into())),
        }
    }
    Ok(result)
}

/// From the first line that begins an object to the last line that ends one, and the lines behind that.
fn object_in(text: &str) -> Result<(&str, Vec<&str>), String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some(first) = lines.iter().position(|l| l.trim().starts_with('{')) else {
        return Err("No start of json char found".to_owned());
    };
    let Some(last) = lines.iter().rposition(|l| l.trim().ends_with('}')).filter(|last| *last >= first) else {
        return Err("No end of json char found".to_owned());
    };
    let start: usize = lines[..first].iter().map(|l| l.len()).sum();
    let end: usize = lines[..=last].iter().map(|l| l.len()).sum();
    let junk = lines[last + 1..].iter().map(|l| l.trim_end_matches(['\r', '\n'])).collect();
    Ok((text[start..end].trim(), junk))
}

fn unreadable(output: &ProcessOutput, interpreter: Option<&str>, why: &str) -> ModuleError {
    let (out, err) = (output.out(), output.err());
    let missing = |name: &str| {
        ["No such file or directory", "not found", "command not found"].iter().any(|text| {
            let said = format!("{name}: {text}");
            out.contains(&said) || err.contains(&said)
        })
    };
    let msg = match interpreter {
        Some(name) if missing(name) => format!("The module interpreter '{name}' was not found."),
        _ => format!("Module result deserialization failed: {why}"),
    };
    ModuleError::new(msg).with("module_stdout", out).with("module_stderr", err).with("rc", output.rc)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(stdout: &str) -> Result<Map> {
        result(&ProcessOutput { rc: 0, stdout: stdout.into(), stderr: Vec::new() }, Some("/bin/sh"))
    }

    // What ansible-core 2.19.14 made of modules that printed these.
    #[test]
    fn what_is_around_the_object_is_left_away() {
        let result = of("so\n[ a list]\n{\"a\": 1, \"rc\": 2}\njunk\njunk2\n").unwrap();
        assert_eq!(result["a"], 1);
        assert_eq!(result["failed"], true);
        assert_eq!(result["warnings"][0], "Module invocation had junk after the JSON data: junk\njunk2");
    }

    #[test]
    fn no_object_is_a_failure() {
        let error = of("hello\n").unwrap_err();
        assert_eq!(error.msg, "Module result deserialization failed: No start of json char found");
        assert_eq!(error.result["module_stdout"], "hello\n");
    }

    #[test]
    fn internal_keys_are_removed() {
        let result = of(r#"{"_ansible_x": 1, "results": 3}"#).unwrap();
        assert_eq!(result["ansible_module_results"], 3);
        assert!(!result.contains_key("_ansible_x"));
    }
}
