//! Block devices and the links to them.

use std::collections::BTreeMap;
use std::path::Path;

use protocol::Map;
use serde_json::{Value, json};

use super::Facts;

/// Links by kind (`ids`, `labels`, `uuids`, `masters`), then by device.
type Links = BTreeMap<&'static str, BTreeMap<String, Vec<String>>>;

pub fn collect(facts: &mut Facts<'_>) {
    let links = links(facts);
    let mut devices = Map::new();
    for name in facts.list("/sys/block") {
        if let Some(device) = describe(facts, &name, &links) {
            devices.insert(name, device);
        }
    }
    facts.add("device_links", json!(links));
    facts.add("devices", devices);
}

fn links(facts: &Facts<'_>) -> Links {
    let mut links: Links = [("ids", "by-id"), ("labels", "by-label"), ("uuids", "by-uuid")]
        .map(|(kind, dir)| (kind, targets(facts, &format!("/dev/disk/{dir}"))))
        .into();
    let mut masters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for master in facts.list("/sys/block") {
        for slave in facts.list(&format!("/sys/block/{master}/slaves")) {
            masters.entry(slave).or_default().push(master.clone());
        }
    }
    links.insert("masters", masters);
    links
}

/// Links in a directory of `/dev/disk`, by the device they lead to.
fn targets(facts: &Facts<'_>, dir: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for link in facts.list(dir) {
        let Ok(to) = std::fs::read_link(facts.host.path(format!("{dir}/{link}"))) else { continue };
        if let Some(device) = to.file_name() {
            found.entry(device.to_string_lossy().into_owned()).or_default().push(link);
        }
    }
    found
}

fn links_of(links: &Links, device: &str) -> Value {
    let of = |kind: &str| links.get(kind).and_then(|l| l.get(device)).cloned().unwrap_or_default();
    json!({"ids": of("ids"), "labels": of("labels"), "uuids": of("uuids"), "masters": of("masters")})
}

fn describe(facts: &Facts<'_>, name: &str, links: &Links) -> Option<Value> {
    let base = format!("/sys/block/{name}");
    let real = std::fs::read_link(facts.host.path(&base)).ok()?;
    let read = |file: &str| facts.read(&format!("{base}/{file}"));
    let mut device = Map::new();
    device.insert("virtual".into(), i32::from(is_virtual(&real)).into());
    device.insert("links".into(), links_of(links, name));
    for (key, file) in [
        ("vendor", "device/vendor"),
        ("model", "device/model"),
        ("sas_address", "device/sas_address"),
        ("sas_device_handle", "device/sas_device_handle"),
    ] {
        device.insert(key.into(), read(file).map_or(Value::Null, Value::from));
    }
    if let Some(serial) = read("device/serial").filter(|s| !s.is_empty()) {
        device.insert("serial".into(), serial.into());
    }
    if let Some(wwn) =
        links.get("ids").and_then(|l| l.get(name)).and_then(|ids| ids.iter().find(|i| i.starts_with("wwn-")))
    {
        device.insert("wwn".into(), wwn["wwn-".len()..].into());
    }
    device.insert("removable".into(), read("removable").map_or(Value::Null, Value::from));
    device
        .insert("support_discard".into(), read("queue/discard_granularity").map_or(Value::Null, Value::from));
    device.insert("rotational".into(), read("queue/rotational").map_or(Value::Null, Value::from));
    device.insert("partitions".into(), partitions(facts, &base, name, links));
    let scheduler = read("queue/scheduler").unwrap_or_default();
    let chosen = scheduler.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(s, _)| s);
    device.insert("scheduler_mode".into(), chosen.into());
    // The size is counted in sectors of 512 bytes, whatever the device's sectors are.
    let sectors = read("size").and_then(|s| s.parse::<u64>().ok()).unwrap_or(0);
    let sector = read("queue/logical_block_size")
        .or_else(|| read("queue/hw_sector_size"))
        .unwrap_or_else(|| "512".into());
    device.insert("sectors".into(), sectors.into());
    device.insert("sectorsize".into(), sector.into());
    device.insert("size".into(), human(sectors * 512).into());
    device.insert("host".into(), "".into());
    device.insert("holders".into(), holders(facts, &format!("{base}/holders")));
    Some(device.into())
}

/// A device without hardware below it that anybody would plug in: no SCSI, IDE, MMC or NVMe path.
fn is_virtual(real: &Path) -> bool {
    let path = real.to_string_lossy();
    path.contains("/virtual/") || path.contains("/virtio")
}

/// What stands on a device; device mapper's by their names.
fn holders(facts: &Facts<'_>, dir: &str) -> Value {
    let names = facts.list(dir).into_iter().map(|holder| {
        let name = facts.read(&format!("/sys/block/{holder}/dm/name"));
        name.unwrap_or(holder)
    });
    names.collect::<Vec<_>>().into()
}

fn partitions(facts: &Facts<'_>, base: &str, name: &str, links: &Links) -> Value {
    let mut map = Map::new();
    for entry in facts.list(base).into_iter().filter(|e| e.starts_with(name)) {
        let dir = format!("{base}/{entry}");
        let read = |file: &str| facts.read(&format!("{dir}/{file}"));
        let Some(start) = read("start") else { continue };
        let sectors = read("size").and_then(|s| s.parse::<u64>().ok()).unwrap_or(0);
        let sector = read("queue/logical_block_size")
            .or_else(|| facts.read(&format!("{base}/queue/logical_block_size")))
            .and_then(|s| s.parse::<u64>().ok())
            .unwrap_or(512);
        let uuid = links.get("uuids").and_then(|l| l.get(&entry)).and_then(|u| u.first());
        map.insert(
            entry.clone(),
            json!({
                "links": links_of(links, &entry),
                "start": start,
                "sectors": sectors,
                "sectorsize": sector,
                "size": human(sectors * 512),
                "uuid": uuid,
                "holders": holders(facts, &format!("{dir}/holders")),
            }),
        );
    }
    map.into()
}

/// `256.00 GB`: powers of 1024, two digits.
pub fn human(bytes: u64) -> String {
    const UNITS: [(&str, u32); 8] =
        [("YB", 80), ("ZB", 70), ("EB", 60), ("PB", 50), ("TB", 40), ("GB", 30), ("MB", 20), ("KB", 10)];
    for (unit, power) in UNITS {
        let size = 2f64.powi(power as i32);
        if bytes as f64 >= size {
            return format!("{:.2} {unit}", bytes as f64 / size);
        }
    }
    format!("{:.2} Bytes", bytes as f64)
}
