//! What the firmware says about the machine.

use super::Facts;

/// Fact and file below `/sys/devices/virtual/dmi/id`.
const FILES: [(&str, &str); 17] = [
    ("bios_date", "bios_date"),
    ("bios_vendor", "bios_vendor"),
    ("bios_version", "bios_version"),
    ("board_asset_tag", "board_asset_tag"),
    ("board_name", "board_name"),
    ("board_serial", "board_serial"),
    ("board_vendor", "board_vendor"),
    ("board_version", "board_version"),
    ("chassis_asset_tag", "chassis_asset_tag"),
    ("chassis_serial", "chassis_serial"),
    ("chassis_vendor", "chassis_vendor"),
    ("chassis_version", "chassis_version"),
    ("product_name", "product_name"),
    ("product_serial", "product_serial"),
    ("product_uuid", "product_uuid"),
    ("product_version", "product_version"),
    ("system_vendor", "sys_vendor"),
];

/// Types of chassis by number: SMBIOS specification 3.7, table 17.
const CHASSIS: [&str; 37] = [
    "Unknown",
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All in One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system",
    "CompactPCI",
    "AdvancedTCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
];

pub fn collect(facts: &mut Facts<'_>) {
    let read = |file: &str| facts.read(&format!("/sys/devices/virtual/dmi/id/{file}"));
    let values = FILES.map(|(fact, file)| (fact, read(file).unwrap_or_else(|| "NA".into())));
    let form = match read("chassis_type").map(|n| n.parse::<usize>()) {
        None => "NA".to_owned(),
        Some(number) => number
            .ok()
            .and_then(|n| CHASSIS.get(n))
            .map_or_else(|| read("chassis_type").unwrap_or_default(), |c| (*c).to_owned()),
    };
    for (fact, value) in values {
        facts.add(fact, value);
    }
    facts.add("form_factor", form);
}
