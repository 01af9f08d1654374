//! Volume groups, as root sees them.
//!
//! LVM keeps its metadata on the disks: there is no way around its programs. They are only started where
//! udev or device mapper know of a volume at all.

use std::path::Path;

use protocol::Map;
use serde_json::{Value, json};

use super::Facts;
use crate::Process;
use crate::process::find_program;

pub fn collect(facts: &mut Facts<'_>) {
    let programs = ["vgs", "lvs", "pvs"].map(|name| find_program(facts.host, name));
    if !nix::unistd::geteuid().is_root() || programs.iter().any(Option::is_none) {
        facts.add("lvm", "N/A");
        return;
    }
    let (mut vgs, mut lvs, mut pvs) = (Map::new(), Map::new(), Map::new());
    if facts.host.is_real() && is_used(facts) {
        let [vgs_program, lvs_program, pvs_program] = programs.map(Option::unwrap_or_default);
        for fields in rows(facts, &vgs_program, "vg_name,pv_count,lv_count,vg_size,vg_free") {
            if let [name, pv_count, lv_count, size, free] = &fields[..] {
                let vg = json!({"size_g": size, "free_g": free, "num_lvs": lv_count, "num_pvs": pv_count});
                vgs.insert(name.clone(), vg);
            }
        }
        for fields in rows(facts, &lvs_program, "lv_name,vg_name,lv_size") {
            if let [name, vg, size] = &fields[..] {
                let lv = json!({"size_g": size, "vg": vg});
                lvs.insert(name.clone(), lv.clone());
                if let Some(Value::Object(group)) = vgs.get_mut(vg) {
                    group.entry("lvs").or_insert(json!({}))[name] = json!({"size_g": size});
                }
            }
        }
        for fields in rows(facts, &pvs_program, "pv_name,vg_name,pv_size,pv_free") {
            if let [name, vg, size, free] = &fields[..] {
                pvs.insert(name.clone(), json!({"size_g": size, "free_g": free, "vg": vg}));
            }
        }
    }
    facts.add("lvm", json!({"lvs": lvs, "vgs": vgs, "pvs": pvs}));
}

/// Is there a physical or a logical volume?
fn is_used(facts: &Facts<'_>) -> bool {
    let logical = facts
        .list("/sys/block")
        .iter()
        .any(|name| facts.read(&format!("/sys/block/{name}/dm/uuid")).is_some_and(|u| u.starts_with("LVM-")));
    logical
        || facts.list("/run/udev/data").iter().filter(|n| n.starts_with('b')).any(|name| {
            facts
                .read(&format!("/run/udev/data/{name}"))
                .is_some_and(|d| d.contains("ID_FS_TYPE=LVM2_member"))
        })
}

fn rows(facts: &Facts<'_>, program: &Path, columns: &str) -> Vec<Vec<String>> {
    let args = ["--noheadings", "--nosuffix", "--units", "g", "--separator", ";", "-o", columns];
    let output = Process::new(program).args(args).run(facts.host);
    let text = output.map(|o| o.out()).unwrap_or_default();
    text.lines().map(|l| l.trim().split(';').map(str::to_owned).collect()).collect()
}
