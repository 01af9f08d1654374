//! The program that travels to the hosts. Everything is in the library, so that `provision` can be its own
//! agent on the controller's machine.

use std::process::ExitCode;

fn main() -> ExitCode {
    agent::main()
}
