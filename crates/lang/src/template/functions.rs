//! Global functions of templates.

use std::cell::Cell;
use std::rc::Rc;

use crate::Key;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::methods::dict::pairs;
use crate::template::mutable::Mutable;
use crate::template::object::{Dict, Fail, Func, Obj, R, V};
use crate::template::{lookups, random, repr, time};

const NAMES: &[&str] =
    &["range", "dict", "lipsum", "cycler", "joiner", "namespace", "now", "undef", "lookup", "query", "q"];

pub(crate) fn names() -> Vec<&'static str> {
    NAMES.to_vec()
}

pub(crate) fn global(name: &str) -> Option<V> {
    NAMES.iter().find(|n| **n == name).map(|n| V::Func(Rc::new(Func::Global(n))))
}

pub(crate) fn call(name: &str, mut args: Args, env: &Rc<Env>) -> R<V> {
    match name {
        "range" => {
            let given = args.pos.len();
            if given == 0 {
                return Fail::python("range expected at least 1 argument, got 0");
            }
            let b = args.bind("range", ["start", "stop", "step"], 1)?;
            let whole = |i: usize, default: i128| match b.get(i) {
                None => Ok(default),
                Some(V::Int(n)) => Ok(*n),
                Some(V::Bool(v)) => Ok(i128::from(*v)),
                Some(other) => Fail::python(format!(
                    "'{}' object cannot be interpreted as an integer",
                    other.need()?.type_name()
                )),
            };
            let (start, stop) = if given == 1 { (0, whole(0, 0)?) } else { (whole(0, 0)?, whole(1, 0)?) };
            let step = whole(2, 1)?;
            if step == 0 {
                return Fail::python("range() arg 3 must not be zero");
            }
            Ok(V::obj(Obj::Range { start, stop, step }))
        }
        "dict" => {
            let kw = std::mem::take(&mut args.kw);
            let b = args.bind("dict", ["mapping"], 0)?;
            let mut map = match b.get(0) {
                Some(value) => pairs(value)?,
                None => Dict::new(),
            };
            map.extend(kw.into_iter().map(|(k, v)| (Key::Str(k), v)));
            Ok(V::dict(map))
        }
        "namespace" => {
            let kw = std::mem::take(&mut args.kw);
            let b = args.bind("namespace", ["mapping"], 0)?;
            let mut map = match b.get(0) {
                Some(value) => pairs(value)?,
                None => Dict::new(),
            };
            map.extend(kw.into_iter().map(|(k, v)| (Key::Str(k), v)));
            Ok(V::obj(Obj::Namespace(Mutable::new(map))))
        }
        "cycler" => {
            if args.pos.is_empty() {
                return Fail::python("at least one item has to be provided");
            }
            Ok(V::obj(Obj::Cycler { items: args.pos, at: Cell::new(0) }))
        }
        "joiner" => {
            let b = args.bind("joiner", ["sep"], 0)?;
            let sep = b.get(0).cloned().unwrap_or_else(|| V::str(", "));
            Ok(V::obj(Obj::Joiner { sep, used: Cell::new(false) }))
        }
        "now" => {
            let b = args.bind("now", ["utc", "fmt"], 0)?;
            let format = b.some(1).map(|v| ops::text_of(&v)).transpose()?.map(|s| s.shared());
            time::now(b.bool(0, false)?, format)
        }
        "undef" => {
            let b = args.bind("undef", ["hint"], 0)?;
            match b.some(0) {
                Some(hint) => Ok(V::undef(ops::to_str(&hint)?)),
                None => Ok(V::undef("Mandatory variable has not been overridden")),
            }
        }
        "lipsum" => {
            let b = args.bind("lipsum", ["n", "html", "min", "max"], 0)?;
            lipsum(b.int(0, 5)?, b.bool(1, true)?, b.int(2, 20)?, b.int(3, 100)?)
        }
        "lookup" => lookup(args, env, false),
        _ => lookup(args, env, true),
    }
}

/// `lookup(name, *terms, wantlist=, errors=, **options)`.
fn lookup(mut args: Args, env: &Rc<Env>, wants_list: bool) -> R<V> {
    if args.pos.is_empty() {
        return Fail::python("lookup() missing 1 required positional argument: 'plugin_name'");
    }
    let name = ops::to_str(&args.pos.remove(0))?;
    let wants_list = match args.take("wantlist")? {
        Some(value) => ops::truth(&value)?,
        None => wants_list,
    };
    let errors = match args.take("errors")? {
        Some(value) => ops::to_str(&value)?,
        None => "strict".to_string(),
    };
    let items = match lookups::run(&name, args, env) {
        Ok(items) => items,
        Err(Fail::Error(error)) if error.is_pending() => return Err(Fail::Error(error)),
        // Whether that is an error is for those to say who use it: `lookup('vars', 'x') is defined` is none.
        Err(Fail::Undefined(undef)) => return Ok(V::Undef(undef)),
        Err(fail) => match errors.as_str() {
            "warn" | "ignore" => {
                if errors == "warn" {
                    env.templar.warn(&fail.message(), None);
                }
                return Ok(if wants_list { V::list(Vec::new()) } else { V::None });
            }
            _ => return Err(fail),
        },
    };
    if wants_list {
        return Ok(V::list(items));
    }
    match items.len() {
        0 => Ok(V::list(items)),
        1 => items.into_iter().next().map_or(Ok(V::None), |v| v.force()),
        _ => {
            let mut all_text = true;
            let mut texts = Vec::new();
            for item in &items {
                match item.force()? {
                    V::Str(text) => texts.push(text.as_str().to_string()),
                    _ => all_text = false,
                }
            }
            Ok(if all_text { V::str(texts.join(",")) } else { V::list(items) })
        }
    }
}

fn lipsum(paragraphs: i128, html: bool, min: i128, max: i128) -> R<V> {
    const WORDS: &str = "a ac accumsan ad adipiscing aenean aliquam amet ante arcu at auctor augue bibendum blandit \
        commodo congue consectetuer cras cubilia cum curae cursus dapibus diam dictum dignissim dis dolor donec dui \
        duis egestas eget elementum elit enim erat eros est et etiam eu euismod facilisi fames felis fermentum feugiat \
        fringilla fusce gravida hac hendrerit iaculis id imperdiet in integer interdum ipsum justo lacinia lacus lectus \
        leo libero ligula lobortis lorem luctus maecenas magna massa mattis mauris metus mi mollis morbi nam nec neque \
        nibh nisi nisl non nulla nunc odio orci ornare pede pellentesque porta posuere proin purus quam quis rhoncus \
        risus rutrum sagittis sapien sed sem semper sit sodales sollicitudin suscipit tellus tempor tincidunt tortor \
        tristique turpis ultrices urna ut varius vel velit vestibulum vitae vivamus volutpat vulputate";
    if !(0..=1000).contains(&paragraphs) || !(0..=10_000).contains(&max) || min > max {
        return Fail::python("lipsum: too much text");
    }
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut out = Vec::new();
    for _ in 0..paragraphs {
        let span = u64::try_from(max - min).unwrap_or(0) + 1;
        let count = min.unsigned_abs() as u64 + random::below(span)?;
        let mut text = Vec::new();
        for _ in 0..count {
            text.push(words[usize::try_from(random::below(words.len() as u64)?).unwrap_or(0)]);
        }
        let text = crate::template::methods::str::capitalize(&text.join(" ")) + ".";
        out.push(if html { format!("<p>{text}</p>") } else { text });
    }
    Ok(V::str(out.join(if html { "\n" } else { "\n\n" })))
}

/// What a function got, for messages.
#[allow(dead_code)]
pub(crate) fn shown(value: &V) -> String {
    iterate::shown(value).chars().take(100).collect::<String>() + &repr::quoted("")[..0]
}
