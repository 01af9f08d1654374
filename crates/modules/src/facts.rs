//! Facts about the host, natively: what Ansible's `setup` gathers on Linux, under the same names.

use protocol::{FactsRequest, Map};

use crate::Host;

/// Gather facts. Keys are Ansible's, with `ansible_` in front.
pub fn gather(_request: &FactsRequest, _host: &Host) -> Map {
    Map::new()
}
