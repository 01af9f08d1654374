//! How long tasks took on their hosts.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use lang::Pos;

/// Times of a run, by the place of the task and the host.
#[derive(Default)]
pub struct Timings(RefCell<HashMap<String, HashMap<String, f64>>>);

impl Timings {
    /// A step of a task took so long on a host. The items of a loop add up.
    pub fn note(&self, host: &str, pos: &Pos, seconds: f64) {
        let mut times = self.0.borrow_mut();
        *times.entry(pos.to_string()).or_default().entry(host.to_owned()).or_default() += seconds;
    }

    /// By the place of the task, the time on the host where it took longest.
    pub fn longest(&self) -> BTreeMap<String, f64> {
        let times = self.0.borrow();
        times.iter().map(|(pos, hosts)| (pos.clone(), hosts.values().copied().fold(0.0, f64::max))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_add_up_and_the_slowest_host_counts() {
        let pos = Pos { file: std::path::Path::new("site.yml").into(), line: 3, column: 7 };
        let times = Timings::default();
        times.note("a", &pos, 1.0);
        times.note("a", &pos, 2.0);
        times.note("b", &pos, 2.5);
        assert_eq!(times.longest(), [("site.yml:3:7".to_owned(), 3.0)].into());
    }
}
