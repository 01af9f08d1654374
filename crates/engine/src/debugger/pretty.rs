//! Values as Python's `pprint` prints them: on one line if that has room, otherwise each entry on a line of its own.

use lang::template::python_repr;
use lang::{Map, Value};

const WIDTH: usize = 80;

/// The text of a value, keys of dictionaries sorted.
pub fn pretty(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0, 0);
    out
}

/// `indent` is the column the value begins at, `behind` the number of brackets that follow it.
fn write(out: &mut String, value: &Value, indent: usize, behind: usize) {
    let value = &sorted(value);
    let flat = python_repr(value);
    if indent + flat.chars().count() + behind < WIDTH {
        out.push_str(&flat);
        return;
    }
    let line = |out: &mut String| {
        out.push_str(",\n");
        out.extend(std::iter::repeat_n(' ', indent + 1));
    };
    match value {
        Value::List(items) if !items.is_empty() => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    line(out);
                }
                write(out, item, indent + 1, if at + 1 == items.len() { behind + 1 } else { 1 });
            }
            out.push(']');
        }
        Value::Map(map) if !map.is_empty() => {
            out.push('{');
            for (at, (key, value)) in map.iter().enumerate() {
                if at > 0 {
                    line(out);
                }
                let key = format!("{}: ", python_repr(&key.to_value()));
                out.push_str(&key);
                let last = at + 1 == map.len();
                write(out, value, indent + 1 + key.chars().count(), if last { behind + 1 } else { 1 });
            }
            out.push('}');
        }
        _ => out.push_str(&flat),
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let mut pairs: Vec<_> = map.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
            pairs.sort_by_key(|(key, _)| key.to_string());
            Value::map(pairs.into_iter().collect::<Map>())
        }
        Value::List(items) => Value::list(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expectations are Python 3.11's `pprint.pformat`.
    #[test]
    fn as_python_prints_them() {
        let json = |text: &str| Value::from_json(&serde_json::from_str(text).expect("JSON"));
        assert_eq!(pretty(&json(r#"{"b": 1, "a": [true, null, "x"]}"#)), "{'a': [True, None, 'x'], 'b': 1}");
        let long = json(
            r#"{"_raw_params": "nope", "_ansible_selinux_special_fs": ["fuse", "nfs", "vboxsf", "ramfs", "9p", "vfat"]}"#,
        );
        assert_eq!(
            pretty(&long),
            "{'_ansible_selinux_special_fs': ['fuse',\n                                 'nfs',\n                                 'vboxsf',\n                                 'ramfs',\n                                 '9p',\n                                 'vfat'],\n '_raw_params': 'nope'}"
        );
    }
}
