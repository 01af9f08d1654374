//! Print the facts of this machine: `cargo run -p modules --example setup -- '{"gather_subset": "min"}'`.

use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let args = std::env::args().nth(1).unwrap_or_else(|| "{}".into());
    let root = std::env::args().nth(2).unwrap_or_else(|| "/".into());
    let Ok(args) = serde_json::from_str(&args) else {
        eprintln!("arguments are a JSON object");
        return ExitCode::FAILURE;
    };
    let host = modules::Host::at(root, std::env::temp_dir());
    let begun = Instant::now();
    let Some(setup) = modules::find("setup") else { return ExitCode::FAILURE };
    match (setup.plan)(&args, &host) {
        Ok(plan) => {
            eprintln!("{:?}", begun.elapsed());
            println!("{}", serde_json::to_string_pretty(&plan.result).unwrap_or_default());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
