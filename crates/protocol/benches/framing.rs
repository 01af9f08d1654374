//! Frames: what every message of a run goes through twice.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use protocol::frame::{Decoder, decode, encode};
use protocol::{FromAgent, Map, Outcome, Permission, Step, ToAgent};
use serde_json::json;

/// A task as most are: some arguments, no content.
fn step(id: u64) -> ToAgent {
    let args = json!({"path": format!("/srv/app/conf.d/{id}.conf"), "line": "workers = 4", "regexp": "^workers", "mode": "0644"});
    ToAgent::Step(Box::new(Step {
        id,
        module: "lineinfile".into(),
        args: object(args),
        r#become: None,
        python: None,
        environment: [("LANG".to_owned(), "C.UTF-8".to_owned())].into(),
        check: false,
        diff: false,
        permission: Permission::Ask,
        continue_on_failure: false,
        unless_changed: vec![3, 7],
        after: None,
        together: Vec::new(),
        timeout: 0,
        background: 0,
    }))
}

fn outcome(id: u64) -> FromAgent {
    let result = json!({
        "changed": false, "path": format!("/srv/app/conf.d/{id}.conf"), "state": "file", "mode": "0644",
        "owner": "root", "group": "root", "uid": 0, "gid": 0, "size": 1234, "msg": "", "backup": ""
    });
    FromAgent::Outcome { id, outcome: Outcome { result: object(result), ..Outcome::default() } }
}

fn object(value: serde_json::Value) -> Map {
    value.as_object().cloned().unwrap_or_default()
}

fn framing(c: &mut Criterion) {
    let step = step(1);
    let bytes = encode(&step).expect("a frame");
    c.bench_function("framing/encode a step", |b| b.iter(|| encode(black_box(&step)).expect("a frame")));
    c.bench_function("framing/decode a step", |b| {
        b.iter(|| decode::<ToAgent>(black_box(&bytes[4..])).expect("a step"));
    });
    // As they arrive: in pieces that have nothing to do with the frames.
    let outcomes: Vec<u8> = (0..100).flat_map(|id| encode(&outcome(id)).expect("a frame")).collect();
    c.bench_function("framing/receive 100 outcomes", |b| {
        b.iter(|| {
            let mut decoder = Decoder::default();
            let mut count = 0;
            for piece in outcomes.chunks(4096) {
                decoder.feed(black_box(piece));
                while decoder.next_frame::<FromAgent>().expect("a message").is_some() {
                    count += 1;
                }
            }
            assert_eq!(count, 100);
        });
    });
    let blob = ToAgent::Blob {
        hash: protocol::Hash::of(b""),
        offset: 0,
        data: vec![7; 256 << 10],
        compressed: false,
        last: true,
    };
    c.bench_function("framing/encode 256 KiB of content", |b| {
        b.iter(|| encode(black_box(&blob)).expect("a frame"));
    });
}

criterion_group!(benches, framing);
criterion_main!(benches);
