//! Building the tree of a play, and walking it as every host does.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use engine::cursor::Cursor;
use engine::program::{BlockNode, group, nodes};
use engine::{Options, select};
use lang::playbook::Play;

#[path = "../tests/support/hooks.rs"]
mod hooks;

/// 1,000 tasks in 100 blocks with rescue and always.
fn playbook() -> String {
    let mut text = String::from("- hosts: all\n  tasks:\n");
    for block in 0..100 {
        let _ = writeln!(text, "    - tags: [t{block}]\n      block:");
        for task in 0..8 {
            let _ = writeln!(text, "        - ping:\n          tags: [a{task}]");
        }
        text.push_str("      rescue:\n        - ping:\n      always:\n        - ping:\n");
    }
    text
}

fn tree(play: &Play) -> std::sync::Arc<BlockNode> {
    group(nodes(&play.tasks).into_iter().map(|(_, node)| node).collect())
}

fn program(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("site.yml");
    std::fs::write(&path, playbook()).expect("a file");
    let playbook = hooks::loader().playbook(&path).expect("a playbook");
    let play = &playbook.plays[0];
    c.bench_function("program/build 1000 tasks", |b| b.iter(|| tree(black_box(play))));
    let root = tree(play);
    let options = Options { tags: vec!["a1".into(), "t7".into()], ..Options::default() };
    c.bench_function("program/select by tags", |b| {
        b.iter(|| select::filter(black_box(&root), &options, &|value| Ok(value.clone())))
    });
    c.bench_function("program/walk 900 tasks", |b| {
        b.iter(|| {
            let mut cursor = Cursor::new(black_box(&root).clone());
            let mut count = 0;
            while cursor.peek(&|_| false).is_some() {
                cursor.advance();
                count += 1;
            }
            assert_eq!(count, 900);
        });
    });
}

criterion_group!(benches, program);
criterion_main!(benches);
