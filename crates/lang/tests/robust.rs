//! Input that nobody means well with: no panic, no exponential time, an error or a value for everything.

use std::path::Path;
use std::time::{Duration, Instant};

use lang::inventory::{Inventory, LoadOptions};
use lang::vault::{VaultSecret, VaultSecrets};
use lang::yaml;
use serde_json::Value as Json;

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

const PIECES: [&str; 40] = [
    ":",
    ": ",
    "- ",
    "\n",
    "  ",
    "\t",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&a ",
    "*a",
    "!!int ",
    "!vault |",
    "!unsafe ",
    "|\n",
    ">-\n",
    "'",
    "\"",
    "#",
    "%",
    "---\n",
    "...\n",
    "<<: ",
    "? ",
    "~",
    "0x",
    "1:30",
    "2001-01-01",
    "\u{feff}",
    "é",
    "\u{1F600}",
    "{{ x }}",
    "[a:children]",
    "[1:3]",
    "x=1",
    "\\",
    "=",
    "\r\n",
];

/// Texts made of pieces, of mutated recorded texts, and of noise.
fn texts(count: usize) -> Vec<Vec<u8>> {
    let cases: Vec<Json> = serde_json::from_str(include_str!("recorded/yaml_load.json")).unwrap();
    let seeds: Vec<&str> = cases.iter().filter_map(|case| case["text"].as_str()).collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    (0..count)
        .map(|index| match index % 3 {
            0 => (0..random.below(30)).flat_map(|_| PIECES[random.below(PIECES.len())].bytes()).collect(),
            1 => {
                let mut text = seeds[random.below(seeds.len())].as_bytes().to_vec();
                for _ in 0..=random.below(4) {
                    let at = random.below(text.len() + 1);
                    let piece = PIECES[random.below(PIECES.len())].bytes();
                    text.splice(at..at, piece);
                }
                text
            }
            _ => (0..random.below(60)).map(|_| u8::try_from(random.next() & 0xff).unwrap()).collect(),
        })
        .collect()
}

#[test]
fn any_bytes_are_yaml_or_an_error() {
    for text in texts(20_000) {
        if let Ok(document) = yaml::parse_one(&text, Path::new("x.yml")) {
            let value = document.root.to_value();
            let printed = yaml::to_yaml(&value, &yaml::DumpOptions::to_yaml()).unwrap();
            // What is printed reads back. Vault strings keep their tag, other values are the same.
            yaml::parse_one(printed.as_bytes(), Path::new("y.yml"))
                .unwrap_or_else(|error| panic!("{text:?} printed {printed:?}: {error}"));
        }
        let _ = yaml::parse(&text, Path::new("x.yml"));
    }
}

#[test]
fn depth_and_aliases_are_limited() {
    let start = Instant::now();
    let deep = [
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
        "[".repeat(500_000) + &"]".repeat(500_000),
    ];
    for text in &deep {
        assert!(yaml::parse_one(text.as_bytes(), Path::new("x.yml")).is_err());
    }
    let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        laughs.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let error = yaml::parse_one(laughs.as_bytes(), Path::new("x.yml")).unwrap_err();
    assert!(error.message().contains("Aliases repeat more than"), "{error}");
    assert!(yaml::parse_one(b"a: &a [*a]", Path::new("x.yml")).is_err());
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn any_bytes_are_an_inventory_or_a_warning() {
    let directory = std::env::temp_dir().join(format!("provision-robust-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    for (index, text) in texts(1_500).into_iter().enumerate() {
        let file = directory.join(["hosts", "hosts.yml", "hosts.toml"][index % 3]);
        std::fs::write(&file, &text).unwrap();
        let inventory =
            Inventory::load(&[file.to_string_lossy().into_owned()], &LoadOptions::default()).unwrap();
        assert!(inventory.parsed || !inventory.warnings.is_empty());
        std::fs::remove_file(&file).unwrap();
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn any_text_is_a_pattern_or_an_error() {
    let inventory = Inventory::load(&["a,b,c1,".into()], &LoadOptions::default()).unwrap();
    let start = Instant::now();
    for text in texts(5_000) {
        let _ = inventory.list_hosts(&String::from_utf8_lossy(&text));
    }
    // A glob that backtracking would never finish.
    let long = "a".repeat(5_000);
    let inventory = Inventory::load(&[format!("{long},")], &LoadOptions::default()).unwrap();
    assert!(inventory.list_hosts(&("*a".repeat(200) + "b")).unwrap().hosts.is_empty());
    // A regular expression that backtracking would never finish is an error or no match, in bounded time.
    let _ = inventory.list_hosts("~(a+)+$x");
    let _ = inventory.list_hosts("~(?=(a+)+$x)(a|aa)+b");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn ranges_are_limited() {
    let start = Instant::now();
    for list in ["a[1:99999999999]", "a[1:9999][1:9999]", "a[0:18446744073709551615]"] {
        let file = std::env::temp_dir().join(format!("provision-range-{}", std::process::id()));
        std::fs::write(&file, list).unwrap();
        let inventory =
            Inventory::load(&[file.to_string_lossy().into_owned()], &LoadOptions::default()).unwrap();
        assert!(inventory.is_empty() && !inventory.warnings.is_empty(), "{list}");
        std::fs::remove_file(&file).unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn any_bytes_are_a_vault_or_an_error() {
    let secrets = VaultSecrets::new(vec![("default".into(), VaultSecret::new(*b"x"))]);
    for text in texts(2_000) {
        let mut envelope = b"$ANSIBLE_VAULT;1.1;AES256\n".to_vec();
        envelope.extend(&text);
        assert!(secrets.decrypt(&envelope).is_err());
        assert!(secrets.decrypt(&text).is_err());
    }
}

#[test]
fn queries_and_addresses_of_any_form_are_a_value_or_an_error() {
    use lang::template::{EmptyScope, Scope, Templar};
    let templar = Templar::default();
    let scope: std::sync::Arc<dyn Scope> = std::sync::Arc::new(EmptyScope);
    let start = Instant::now();
    for query in ["(", "*.", "[", "!", "a|", "{a:", "&", "a[0].", "[?a].", "a.", "`[`", "[::-2147483648]"] {
        let text = query.repeat(3000);
        let _ = templar.evaluate(&format!("{{}} | json_query({text:?})"), &scope, None);
    }
    let addresses =
        ["::/0", "0.0.0.0/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "255.255.255.255/32", "::1/127"];
    let numbers = ["0", "-1", "128", "170141183460469231731687303715884105727"];
    for address in addresses {
        for number in numbers {
            for filter in
                ["ipaddr", "ipsubnet", "nthhost", "ipmath", "next_nth_usable", "previous_nth_usable"]
            {
                let _ = templar.evaluate(&format!("'{address}' | {filter}({number})"), &scope, None);
                let _ = templar.evaluate(&format!("'{address}' | {filter}(-{number})"), &scope, None);
            }
            let _ = templar.evaluate(&format!("'{address}' | ipsubnet(128, {number})"), &scope, None);
            let _ = templar.evaluate(&format!("'{address}' | ipsubnet(30, -{number})"), &scope, None);
        }
        for other in addresses {
            let _ = templar.evaluate(&format!("'{address}' | ipsubnet('{other}')"), &scope, None);
            let _ = templar.evaluate(&format!("['{address}', '{other}'] | cidr_merge('span')"), &scope, None);
        }
    }
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn templates_that_grow_without_an_end_are_stopped() {
    use lang::Str;
    use lang::template::{EmptyScope, Scope, Templar};
    let templar = Templar::default();
    let scope: std::sync::Arc<dyn Scope> = std::sync::Arc::new(EmptyScope);
    let start = Instant::now();
    // Containers that hold the same one twice, sixty times over; or nest a hundred thousand deep.
    let twice = "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}\
                 {% set ns.y = [ns.y, ns.y] %}{% endfor %}";
    let deep = |how: &str| {
        format!(
            "{{% set ns = namespace(x=[]) %}}{{% for i in range(100000) %}}{{% set ns.x = {how} %}}{{% endfor %}}"
        )
    };
    let texts = [
        format!("{twice}{{{{ ns.x }}}}"),
        format!("{twice}{{{{ ns.x == ns.y }}}}"),
        format!("{twice}{{{{ ns.x | to_json }}}}"),
        format!("{twice}{{{{ ns.x | string }}}}"),
        format!("{twice}{{{{ ns.x | flatten }}}}"),
        format!("{}{{{{ ns.x }}}}", deep("[ns.x]")),
        format!("{}{{{{ ns.x | to_json }}}}", deep("{'a': ns.x}")),
        format!("{}{{{{ ns.x | string }}}}", deep("(ns.x,)")),
        "{% set l = [1] %}{% for i in range(60) %}{% set _ = l.extend(l) %}{% endfor %}{{ l | length }}"
            .into(),
        "{{ range(40) | permutations | list | length }}".into(),
        "{{ range(64) | combinations(20) | list | length }}".into(),
        "{{ 'x' | password_hash('sha512', rounds=999999999) }}".into(),
        "{{ 'x' | password_hash('bcrypt', rounds=31) }}".into(),
    ];
    for text in texts {
        let value = lang::Value::Str(Str::template(text.as_str(), None));
        assert!(templar.render(&value, &scope).is_err(), "{text}");
    }
    // What nobody looks at whole is no error, and goes away without a trace.
    for how in ["[ns.x]", "{'a': ns.x}", "(ns.x,)", "[ns.x] | zip([1]) | first"] {
        let text = format!("{}{{{{ ns.x | length }}}}", deep(how));
        let value = lang::Value::Str(Str::template(text.as_str(), None));
        assert!(templar.render(&value, &scope).is_ok(), "{text}");
    }
    assert!(start.elapsed() < Duration::from_secs(120), "{:?}", start.elapsed());
}
