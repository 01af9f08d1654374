//! `pause`: for some time, or until the user says so.

use std::time::Instant;

use lang::template::python_str;
use lang::{Map, Result, Value};

use super::{Input, Local, Prepared};
use crate::map;
use crate::play::PlayRun;
use crate::results;
use crate::user::PauseQuestion;

/// Its arguments.
pub struct Pause {
    pub prompt: Option<String>,
    pub seconds: Option<u64>,
    /// Whether the answer can be seen while it is typed.
    pub echo: bool,
    /// `minutes` rather than `seconds`, for the texts.
    pub minutes: bool,
    /// The task's name, above the prompt.
    pub title: String,
}

/// Check the arguments.
pub fn pause(input: &Input<'_>) -> Result<Prepared> {
    input.allow("pause", &["echo", "minutes", "prompt", "seconds"])?;
    if input.args.contains_key("minutes") && input.args.contains_key("seconds") {
        return Err(input.error("parameters are mutually exclusive: minutes|seconds"));
    }
    let (minutes, seconds) = (number(input, "minutes")?, number(input, "seconds")?);
    let echo = match input.args.get("echo").filter(|v| !v.is_null()) {
        None => true,
        Some(value) => lang::argument_spec::boolean(value)
            .map_err(|reason| unconvertible(input, "echo", value, "bool", &reason))?,
    };
    let in_minutes = minutes.is_some();
    let seconds = seconds.or(minutes.map(|m| m.saturating_mul(60)));
    let name = input.task.name.as_ref().and_then(|name| input.ctx.templar.render(name, input.scope).ok());
    let title = name.map_or_else(|| input.task.action.as_str().to_owned(), |name| python_str(&name));
    Ok(Prepared::Local(Local::Pause(Pause {
        prompt: input.text("prompt"),
        seconds: seconds.map(|s| u64::try_from(s).unwrap_or(0).max(1)),
        echo,
        // Without a time the texts speak of minutes, as Ansible's do.
        minutes: in_minutes || seconds.is_none(),
        title,
    })))
}

/// A duration, as Python's `int` reads it: numbers are cut off, text has to be whole.
fn number(input: &Input<'_>, name: &str) -> Result<Option<i64>> {
    let Some(value) = input.args.get(name).filter(|v| !v.is_null()) else { return Ok(None) };
    match value {
        Value::Int(i) => Ok(Some(*i)),
        Value::Bool(b) => Ok(Some(i64::from(*b))),
        Value::Float(f) if f.is_finite() => Ok(Some(*f as i64)),
        other => other.as_str().and_then(|text| text.trim().parse().ok()).map(Some).ok_or_else(|| {
            let literal = lang::template::python_repr(value);
            let reason = format!("invalid literal for int() with base 10: {literal}");
            unconvertible(input, name, value, "int", &reason)
        }),
    }
}

fn unconvertible(input: &Input<'_>, name: &str, value: &Value, kind: &str, reason: &str) -> lang::Error {
    input.error(format!(
        "argument '{name}' is of type {} and we were unable to convert to {kind}: {reason}",
        value.type_name()
    ))
}

impl PlayRun {
    /// Pause, and report how long it was.
    pub async fn pause(&self, pause: &Pause) -> Map {
        let start = chrono::Local::now();
        let clock = Instant::now();
        let user = &self.run.user;
        let interactive = user.is_interactive();
        let hidden = if pause.echo { "" } else { " (output is hidden)" };
        if let Some(seconds) = pause.seconds {
            user.show(&format!("Pausing for {seconds} seconds{hidden}\n"));
            if interactive || pause.prompt.is_some() {
                user.show("(ctrl+C then 'C' = continue early, ctrl+C then 'A' = abort)\r\n");
            }
        }
        let default = || "Press enter to continue, Ctrl+C to interrupt".to_owned();
        let text = pause.prompt.clone().or_else(|| pause.seconds.is_none().then(default));
        let question = PauseQuestion {
            prompt: text.map(|text| format!("[{}]\n{text}{hidden}:\n", pause.title)),
            seconds: pause.seconds,
            echo: pause.echo,
        };
        if !interactive && pause.seconds.is_none() {
            self.run.warn("Not waiting for response to prompt as stdin is not interactive");
        }
        let answer = user.pause(&question).await;
        if answer.abort {
            return results::failure("Task failed: user requested abort!");
        }
        let delta = clock.elapsed().as_secs_f64();
        let stdout = if pause.minutes {
            format!("Paused for {} minutes", python_round(delta / 60.0))
        } else {
            format!("Paused for {} seconds", python_round(delta))
        };
        let time = |t: chrono::DateTime<chrono::Local>| t.format("%Y-%m-%d %H:%M:%S%.6f").to_string();
        map! {
            "changed": false,
            "rc": 0i64,
            "stderr": "",
            "stdout": stdout,
            "start": time(start),
            "stop": time(chrono::Local::now()),
            "delta": delta as i64,
            "echo": pause.echo,
            "user_input": answer.text,
        }
    }
}

/// Two digits behind the point, as Python's `round(x, 2)` prints it.
fn python_round(number: f64) -> String {
    let rounded = (number * 100.0).round() / 100.0;
    if rounded.fract() == 0.0 { format!("{rounded:.1}") } else { format!("{rounded}") }
}
