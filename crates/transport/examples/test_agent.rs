//! A stand-in for the agent in this crate's tests: says hello, answers each step with its arguments.

use std::io::{self, Read, Write};

use protocol::{AgentHello, FromAgent, Outcome, ToAgent, VERSION, frame};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut first = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--version" => return Ok(()),
            "--start" => {
                let content = hex::decode(arguments.next().unwrap_or_default())?;
                first = [&(content.len() as u32).to_be_bytes()[..], &content[..]].concat();
            }
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    let mut input = io::Cursor::new(first).chain(io::stdin().lock());
    let mut out = io::stdout().lock();
    while let Some(message) = frame::read::<ToAgent>(&mut input)? {
        let answer = match message {
            ToAgent::Start(start) => FromAgent::Hello(AgentHello {
                version: VERSION,
                pid: std::process::id(),
                user: start.remote_tmp.unwrap_or_default(),
                machine: "test".into(),
                ..AgentHello::default()
            }),
            ToAgent::Step(step) => FromAgent::Outcome {
                id: step.id,
                outcome: Outcome { result: step.args, ..Outcome::default() },
            },
            ToAgent::Flush { token } => FromAgent::Flushed { token, dropped: Vec::new() },
            other => FromAgent::Warning { text: format!("{other:?}") },
        };
        frame::write(&mut out, &answer)?;
        out.flush()?;
    }
    Ok(())
}
