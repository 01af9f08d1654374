//! A simulated fleet of 100 hosts, some of which fail in one way or another.

mod simulated;
mod support;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use engine::event::{Event, HostStats, Reporter};
use engine::run::Verdict;
use engine::{Options, Run};

/// Keeps the recap.
struct Recap(Rc<RefCell<Vec<(String, HostStats)>>>);

impl Reporter for Recap {
    fn event(&mut self, event: &Event) {
        if let Event::Stats { hosts, .. } = event {
            *self.0.borrow_mut() = hosts.clone();
        }
    }
}

fn recap(strategy: &str) -> (Verdict, Vec<(String, HostStats)>) {
    let dir = tempfile::tempdir().expect("a directory");
    simulated::playbook::write(dir.path(), 100, strategy).expect("files");
    let recap = Rc::default();
    let fleet = Rc::new(simulated::Simulation::Here { latency: Duration::from_millis(4) });
    let reporter = Box::new(Recap(Rc::clone(&recap)));
    let prepared = support::prepare::prepare(dir.path(), Options::default(), fleet, reporter, false);
    let (run, playbook) = prepared.expect("a playbook");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let verdict = tokio::task::LocalSet::new().block_on(&runtime, ended(&run, playbook));
    let hosts = recap.borrow().clone();
    (verdict, hosts)
}

async fn ended(run: &Rc<Run>, playbook: lang::playbook::Playbook) -> Verdict {
    let playbooks = [playbook];
    let verdict = tokio::time::timeout(Duration::from_secs(120), run.playbooks(&playbooks)).await;
    run.finish();
    run.close();
    verdict.expect("the run ends")
}

#[test]
fn every_host_gets_as_far_as_it_can() {
    let expected: Vec<_> = (0..100).map(|host| (simulated::name(host), simulated::expected(host))).collect();
    for strategy in ["linear", "free"] {
        let (verdict, hosts) = recap(strategy);
        assert_eq!(hosts, expected, "strategy {strategy}");
        assert_eq!(verdict, Verdict::Unreachable);
    }
}
