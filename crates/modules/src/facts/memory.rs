//! Memory, load, time since boot.

use std::collections::HashMap;

use serde_json::json;

use super::Facts;

pub fn collect(facts: &mut Facts<'_>) {
    let kib: HashMap<String, u64> = facts
        .lines("/proc/meminfo")
        .iter()
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.split_whitespace().next()?.parse().ok()?))
        })
        .collect();
    let mb = |name: &str| kib.get(name).map(|v| v / 1024);
    if let (Some(total), Some(free)) = (mb("MemTotal"), mb("MemFree")) {
        // Sums are made of what has been rounded down to MiB.
        let nocache = ["Cached", "MemFree", "Buffers"].iter().filter_map(|n| mb(n)).sum::<u64>();
        let (swap_total, swap_free) = (mb("SwapTotal").unwrap_or(0), mb("SwapFree").unwrap_or(0));
        facts.add("memtotal_mb", total);
        facts.add("memfree_mb", free);
        facts.add("swaptotal_mb", swap_total);
        facts.add("swapfree_mb", swap_free);
        facts.add(
            "memory_mb",
            json!({
                "real": {"total": total, "used": total.saturating_sub(free), "free": free},
                "nocache": {"free": nocache, "used": total.saturating_sub(nocache)},
                "swap": {
                    "total": swap_total,
                    "free": swap_free,
                    "used": swap_total.saturating_sub(swap_free),
                    "cached": mb("SwapCached").unwrap_or(0),
                },
            }),
        );
    }
    let uptime = facts.read("/proc/uptime");
    if let Some(seconds) = uptime.as_deref().and_then(|t| t.split('.').next()?.parse::<u64>().ok()) {
        facts.add("uptime_seconds", seconds);
    }
}

/// Load averages, in the kernel's full precision.
pub fn collect_load(facts: &mut Facts<'_>) {
    let mut load = [0.0; 3];
    // SAFETY: there is room for the three values that are asked for.
    if unsafe { nix::libc::getloadavg(load.as_mut_ptr(), 3) } == 3 {
        facts.add("loadavg", json!({"1m": load[0], "5m": load[1], "15m": load[2]}));
    }
}
