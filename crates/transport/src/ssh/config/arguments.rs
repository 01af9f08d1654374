//! Options of ssh(1) as inventories give them in `ansible_ssh_common_args` and its like.

use super::options::Options;
use super::words;
use crate::error::ConfigError;

/// What the arguments say besides options of `ssh_config`.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// `-F`: this file alone; `none` for no file.
    pub config_file: Option<String>,
}

const PLACE: &str = "command-line";

/// Take `arguments` into `options`; what came earlier wins.
pub fn read(arguments: &[String], options: &mut Options, found: &mut Arguments) -> Result<(), ConfigError> {
    let bad = |reason: String| ConfigError { place: PLACE.into(), reason };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let Some(letters) = argument.strip_prefix('-').filter(|l| !l.is_empty()) else {
            return Err(bad(format!("{argument:?} is not an option of ssh")));
        };
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            let mut set = |name: &str, value: &str| options.set(name, value, PLACE, true);
            match letter {
                'C' => set("compression", "yes")?,
                '4' => set("addressfamily", "inet")?,
                '6' => set("addressfamily", "inet6")?,
                'A' => set("forwardagent", "yes")?,
                'a' => set("forwardagent", "no")?,
                // Terminal, verbosity, X11, multiplexing: nothing to do for a run.
                'q' | 'v' | 'T' | 't' | 'x' | 'X' | 'Y' | 'n' | 'M' | 'k' | 'K' => {}
                'o' | 'F' | 'i' | 'p' | 'l' | 'J' | 'b' | 'B' | 'c' | 'm' | 'S' | 'e' | 'P' => {
                    let attached: String = letters.by_ref().collect();
                    let value = match attached.is_empty() {
                        false => attached,
                        true => arguments
                            .next()
                            .ok_or_else(|| bad(format!("option -{letter} of ssh requires an argument")))?
                            .clone(),
                    };
                    match letter {
                        'o' => option(&value, options)?,
                        'F' => found.config_file = Some(value),
                        'S' | 'e' => {}
                        'i' => set("identityfile", &quoted(&value))?,
                        'p' => set("port", &value)?,
                        'l' => set("user", &quoted(&value))?,
                        'J' => set("proxyjump", &value)?,
                        'b' => set("bindaddress", &value)?,
                        'B' => set("bindinterface", &value)?,
                        'c' => set("ciphers", &value)?,
                        'P' => set("tag", &value)?,
                        _ => set("macs", &value)?,
                    }
                }
                other => return Err(bad(format!("option -{other} of ssh is not supported"))),
            }
        }
    }
    Ok(())
}

fn option(text: &str, options: &mut Options) -> Result<(), ConfigError> {
    let bad = |reason: String| ConfigError { place: PLACE.into(), reason };
    let (name, rest) = words::keyword(text).ok_or_else(|| bad("option -o of ssh is empty".into()))?;
    if matches!(name.as_str(), "host" | "match" | "include") {
        return Err(bad(format!("{name} cannot be given with -o")));
    }
    options.set(&name, rest, PLACE, true)
}

/// `value` so that splitting gives it back as one word.
pub fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}
