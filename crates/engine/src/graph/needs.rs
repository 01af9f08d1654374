//! `needs`: what the user says about order, and the order of the tasks that comes of it.

use lang::keywords::nearest;
use lang::{Error, Pos};

use super::{Kind, Spec};

/// For each task the tasks it needs, with the place where it says so.
pub type Needed = Vec<Vec<(usize, Pos)>>;

/// Find the tasks that `needs` names.
pub fn resolve(specs: &[Spec], errors: &mut Vec<Error>) -> Needed {
    let tasks = || specs.iter().enumerate().filter(|(_, spec)| spec.kind == Kind::Task);
    let mut needed: Needed = vec![Vec::new(); specs.len()];
    for (at, spec) in tasks() {
        for (name, pos) in spec.needs.iter().flatten() {
            let mut found: Vec<usize> =
                tasks().filter(|(_, other)| other.names.contains(name)).map(|(i, _)| i).collect();
            if found.is_empty() {
                errors.push(unknown(specs, name, pos));
            } else if found == [at] {
                let text = format!("the task '{}' cannot need itself", spec.title);
                errors.push(Error::new(text).at(Some(pos)));
            }
            found.retain(|other| *other != at);
            needed[at].extend(found.into_iter().map(|other| (other, pos.clone())));
        }
    }
    needed
}

fn unknown(specs: &[Spec], name: &str, pos: &Pos) -> Error {
    let error = Error::new(format!("needs names a task that is not in the play: '{name}'")).at(Some(pos));
    let names =
        specs.iter().filter(|s| s.kind == Kind::Task).flat_map(|s| s.names.iter().map(String::as_str));
    match nearest(name, names) {
        Some(near) => error.with_help(format!("did you mean '{near}'?")),
        None => error,
    }
}

/// The tasks in the order of the play, but each behind those it needs.
pub fn sort(specs: &[Spec], needed: &Needed) -> Result<Vec<usize>, Error> {
    let mut order = Vec::with_capacity(specs.len());
    let mut done = vec![false; specs.len()];
    while order.len() < specs.len() {
        let ready = |at: &usize| !done[*at] && needed[*at].iter().all(|(other, _)| done[*other]);
        match (0..specs.len()).find(ready) {
            Some(at) => {
                done[at] = true;
                order.push(at);
            }
            None => return Err(cycle(specs, needed, &done)),
        }
    }
    Ok(order)
}

/// The cycle among the tasks that cannot be reached.
fn cycle(specs: &[Spec], needed: &Needed, done: &[bool]) -> Error {
    let mut path: Vec<usize> = Vec::new();
    let mut at = done.iter().position(|done| !done).unwrap_or_default();
    while !path.contains(&at) {
        path.push(at);
        match needed[at].iter().find(|(other, _)| !done[*other]) {
            Some((other, _)) => at = *other,
            None => break,
        }
    }
    let start = path.iter().position(|seen| *seen == at).unwrap_or_default();
    let mut titles: Vec<String> = path[start..].iter().map(|i| format!("'{}'", specs[*i].title)).collect();
    titles.push(titles[0].clone());
    let pos = needed[at].first().map(|(_, pos)| pos);
    Error::new(format!("tasks need each other: {}", titles.join(" needs "))).at(pos)
}
