//! `provision test`: the stock content on real hosts.
//!
//! Two bare Debian 12 hosts are started as containers, `playbooks/site.yml` brings them to the described state over
//! SSH, a second run must change nothing, and `docker-test/verify.yml` uses what was set up. The playbooks are run
//! by this same executable as processes of their own, just as anybody would run them. What was started is
//! removed on every way out: when it went well, when it failed, and when it was interrupted.

mod checkout;
mod child;
mod commit;
mod docker;
mod hosts;
mod recap;
mod signals;

use std::path::Path;
use std::time::Instant;

use clap::Args;

use self::checkout::Checkout;
use self::child::Stop;
use self::commit::Commit;
use self::hosts::Hosts;
use self::recap::Recap;
use self::signals::Signals;
use super::Failure;

/// Try the stock content on two throw-away hosts.
#[derive(Clone, Debug, Args)]
pub struct TestOptions {
    /// Leave the hosts running, and say how to reach and how to remove them
    #[arg(long)]
    pub keep: bool,
    /// Make an image of a host that passed: web1, or the one named before `=`
    #[arg(long, value_name = "[HOST=]NAME:TAG")]
    pub commit: Option<Commit>,
    /// Say more while converging (-vv, -vvv: still more)
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// Run the whole test. The exit code is 0 only if every step went well; a signal's is 128 and its number.
pub fn run(options: TestOptions) -> Result<u8, Failure> {
    let checkout = Checkout::find()?;
    docker::check()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format!("could not start the runtime: {e}")))?;
    runtime.block_on(test(&options, &checkout))
}

async fn test(options: &TestOptions, checkout: &Checkout) -> Result<u8, Failure> {
    let started = Instant::now();
    let mut signals = Signals::new()?;
    let mut hosts = Hosts::new(checkout)?;
    let outcome = steps(options, checkout, &mut hosts, &mut signals).await;
    let removed = if options.keep && hosts.up() {
        hosts.keep();
        Ok(())
    } else {
        say("Removing the hosts");
        hosts.remove(&mut signals).await
    };
    match (outcome, removed) {
        (Ok(()), Ok(())) => {
            say(&format!("The test has passed, in {:.0} s", started.elapsed().as_secs_f64()));
            Ok(0)
        }
        (Ok(()), Err(failure)) => Err(failure),
        (Err(Stop::Signal(signal)), removed) => {
            removed?;
            say("The test was interrupted");
            Ok(128 + signal as u8)
        }
        (Err(Stop::Failed(mut failure)), removed) => {
            if let Err(also) = removed {
                failure.errors.extend(also.errors);
            }
            Err(failure)
        }
    }
}

async fn steps(
    options: &TestOptions,
    checkout: &Checkout,
    hosts: &mut Hosts,
    signals: &mut Signals,
) -> Result<(), Stop> {
    say("The image of a bare Debian 12");
    let image = hosts::base_image(checkout, signals).await?;

    say("Two hosts");
    hosts.start(&image, signals).await?;

    say("Converging them");
    playbook(options, checkout, hosts, &checkout.site(), &[], signals).await?;

    // What should not have changed is shown as a difference.
    say("Converging them again, which must change nothing");
    let again = playbook(options, checkout, hosts, &checkout.site(), &["--diff"], signals).await?;
    let changed = again.changed();
    if !changed.is_empty() {
        return Err(Stop::failed(format!("the second run has changed something: {}", changed.join(", "))));
    }

    say("Using what was set up");
    playbook(options, checkout, hosts, &checkout.verify(), &[], signals).await?;

    if let Some(commit) = &options.commit {
        say(&format!("Making the image {} of {}", commit.image, commit.host));
        commit.make(hosts, signals).await?;
    }
    Ok(())
}

/// Run one playbook on the hosts, showing what it prints. It has to end well on every host.
async fn playbook(
    options: &TestOptions,
    checkout: &Checkout,
    hosts: &Hosts,
    playbook: &Path,
    arguments: &[&str],
    signals: &mut Signals,
) -> Result<Recap, Stop> {
    let started = Instant::now();
    let mut command = child::provision(checkout)?;
    command.arg(playbook);
    for inventory in [checkout.inventory(), hosts.inventory()] {
        command.arg("-i").arg(inventory);
    }
    command.args(arguments);
    if options.verbose > 0 {
        command.arg(format!("-{}", "v".repeat(options.verbose.into())));
    }
    let (status, output) = child::shown(&mut command, signals).await?;
    if !status.success() {
        return Err(Stop::failed(format!("{} has failed: {status}", playbook.display())));
    }
    let recap = Recap::read(&output);
    if recap.hosts.is_empty() {
        return Err(Stop::failed(format!("{} has run on no host", playbook.display())));
    }
    say(&format!("... took {:.1} s", started.elapsed().as_secs_f64()));
    Ok(recap)
}

/// What the test is doing. Lines of its own begin with an arrow; between them is what the playbooks print.
fn say(text: &str) {
    println!("==> {text}");
}
