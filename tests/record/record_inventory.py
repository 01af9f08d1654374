#!/usr/bin/env python
"""Record what ansible-core makes of inventories and host patterns.

Run with the Python that has ansible-core 2.19; writes crates/lang/tests/recorded/inventory.json. Every case is a
tree of files, the sources, and what `ansible-inventory` printed with several options, or which hosts patterns chose.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BIN = pathlib.Path(sys.executable).parent
OUT = pathlib.Path(__file__).resolve().parents[2] / "crates/lang/tests/recorded"

INI = """\
lonely ansible_host=1.2.3.4 x=1 y='a b' z="{'a': 1}" t=0644 u=True v=None w="it's" e= q=\\"x\\"
# comment
; comment
[web]
web[01:03] n=1_000 f=1.5 l="[1,'2']"  # c
db-[a:c].x:2222 # comment
[2001:db8::1]:22 a=1
10.0.0.[1:2]
n[1:9:4]a[x:y]
r[2:0] a=1
l[x:C:2]
[web:vars]
gv=0o17
gs=hello world # not comment?
gh="q"
t=(1,2)
i = 5 # five
j = 1.5e3
k = 'a' 'b'
m = -3
o = [1, [2, {'x': None}],]
p2 = {1, 2}
r = r'\\d'
n1 = yes
n2 = true
n3 = 0x1f
n4 = 007
n5 = 1,2
n6 = "a\\nb"
n7 = u'x'
n8 = +5
n9 = 1e400
m1 = 12345678901234567890123
m2 = ''
m3 =
m4 = =x
m5 = --3
m6 = (1)
m7 = ()
m8 = .5
m9 = 5.
p3 = "unclosed
p4 = {'a':1}}
p5 = 1_0
p6 = 1__0
p7 = 0_0
p8 = __import__('os')
p9 = {{ gv }}
[prod:children]
web
other  # comment
[other]
zz
dup a=1
dup b=2
[prod:vars]
ansible_group_priority=10
p={{ gv }}
[later:children]
sooner
[sooner]
s1
[sooner:vars]
sv=1
"""

YAML = """\
all:
  hosts:
    top:
      v: 1
    r[1:3]x:
      n: yes
  vars:
    a: 1
    d: {x: 1}
    tpl: "{{ a }}"
  children:
    web:
      hosts:
        w1:
        w2: {p: 0644}
        w3:2200:
      vars: {a: 2, d: {y: 2}}
    empty:
    db:
      children:
        pg: {hosts: {p1: {a: 3}}}
        my:
          hosts: m1
      hosts:
        w1: {extra: true}
    prio1: {hosts: {w1: }, vars: {c: 1, ansible_group_priority: 5}}
    prio2: {hosts: {w1: }, vars: {c: 2}}
other:
  hosts:
    o1:
      u: !unsafe "{{ x }}"
"""

SCRIPT = """#!/bin/sh
cat <<X
{"g":["h1","h2"],"w":{"hosts":["h3"],"vars":{"a":"x","n":1.0},"children":["g"]},"z":{"q":1},
"_meta":{"hostvars":{"h1":{"v":"y","d":{"e":[1,null,true]}}}}}
X
"""

SCRIPT_HOST = """#!/bin/sh
if [ "$1" = --list ]; then echo '{"g":{"hosts":["h1","h2"]}}'; else echo "{\\"me\\":\\"$2\\"}"; fi
"""

CASES = {
    "ini": ({"hosts": INI}, ["hosts"]),
    "yaml": ({"hosts.yml": YAML}, ["hosts.yml"]),
    "json": ({"hosts.json": json.dumps({"all": {"hosts": {"a": {"x": 1}}, "children": {"g": {"hosts": {"b": None}}}}})}, ["hosts.json"]),
    "list": ({}, ["a,b:22,c.d,[::1]:33,a[1:2],"]),
    "script": ({"s.sh": SCRIPT}, ["s.sh"]),
    "script-host": ({"s.sh": SCRIPT_HOST}, ["s.sh"]),
    "toml": ({"h.toml": '[all.vars]\na = 1\n[web]\nchildren = ["x"]\n[web.hosts]\nw1 = {}\nw2 = { b = 2, c = "d" }\n[web.vars]\nl = [1, 2]\n[x.hosts]\n"x[1:2]" = {}\n'}, ["h.toml"]),
    "dir": ({"d/01": "[a]\nh1 x=1\n", "d/02.yml": "a: {hosts: {h1: {x: 2}, h2: }}\n", "d/03.ini": "[b]\nh3\n", "d/ig.cfg": "[c]\nh4\n", "d/x.orig": "h5\n", "d/.hid": "h6\n", "d/sub/x": "[s]\nh7\n", "d/group_vars/a": "g: 1\nx: 9\n", "d/host_vars/h1.yml": "hv: 1\n", "d/z~": "h8\n"}, ["d"]),
    "vars": (
        {
            "i/hosts": "[web]\nw1 a=host b=host\nw2\n[web:vars]\na=grp\nc=grp\n[db]\nw1\n",
            "i/group_vars/all.yml": "all_y: 1\nc: all\nd: all\n",
            "i/group_vars/all/x.yml": "all_dir: 1\n",
            "i/group_vars/web.yaml": "c: web\nd: web\n",
            "i/group_vars/web.yml": "c: webyml\n",
            "i/group_vars/db/b.yml": "e: b\n",
            "i/group_vars/db/a.json": '{"e": "a", "f": 1}',
            "i/group_vars/db/c.txt": "g: 1\n",
            "i/group_vars/db/sub/d": "h: 1\n",
            "i/group_vars/db/.x.yml": "i: 1\n",
            "i/group_vars/db/e.yml~": "j: 1\n",
            "i/host_vars/w1": "b: hv\nk: '{{ a }}'\n",
            "i/host_vars/w2.json": '{"m": [1]}',
            "group_vars/all": "pb: 1\nd: pball\n",
            "group_vars/web": "c: pbweb\n",
            "host_vars/w1.yml": "b: pbhv\n",
        },
        ["i/hosts"],
    ),
    "two": ({"a": "[g]\nh1 x=a y=a\n[g:vars]\nz=a\n", "b.yml": "g: {hosts: {h1: {x: b}, h2: }, vars: {z: b}}\nall: {children: {top: {children: {g: }}}}\n"}, ["a", "b.yml", "extra,"]),
    "constructed": (
        {
            "a": "[web]\nw1 os=linux size=3 tags=\"['a','b-c']\" kv=\"{'x':'1','y':''}\"\nw2 os= size=1\n[db]\nd1 os=bsd\n[web:vars]\ngvar=x\n",
            "b.yml": """
plugin: constructed
strict: false
compose:
  double: size * 2
  name2: inventory_hostname ~ '-x'
  broken: nope.nope
groups:
  big: size | default(0) | int > 2
  "bad-name": true
  in_web: "'web' in group_names"
keyed_groups:
  - key: os
    prefix: os
  - key: os
    separator: ""
    default_value: none
  - key: tags
    prefix: tag
    separator: "="
    parent_group: alltags
  - key: kv
    prefix: kv
    trailing_separator: false
  - key: gvar
""",
        },
        ["a", "b.yml"],
    ),
    "generator": (
        {
            "g.yml": """
plugin: ansible.builtin.generator
hosts:
  name: "{{ op }}_{{ app }}_runner"
  parents:
    - name: "{{ op }}_{{ app }}"
      parents:
        - name: "{{ op }}"
          vars: {operation: "{{ op }}"}
        - name: "{{ app }}"
          vars: {application: "{{ app }}", fixed: 1}
    - name: runner
layers:
  op: [build, launch]
  app: [web, api]
""",
        },
        ["g.yml"],
    ),
    "bad-names": ({"h": "[bad-name]\na\n[1st]\nb\n[é]\nc\n[a.b]\nd\n"}, ["h"]),
    "err-assign": ({"h": "a x=1\n[g]\nb foo\n"}, ["h"]),
    "err-section": ({"h": "[g:foo]\na\n"}, ["h"]),
    "err-section2": ({"h": "[g x]\na\n"}, ["h"]),
    "err-vars": ({"h": "[g:vars]\na=1\n"}, ["h"]),
    "err-vars2": ({"h": "[g]\n[g:vars]\na\n"}, ["h"]),
    "err-children": ({"h": "[g:children]\nx\n"}, ["h"]),
    "err-quote": ({"h": "a x='1\n"}, ["h"]),
    "err-colon": ({"h": "a:\n"}, ["h"]),
    "err-yaml-in-ini": ({"h": "---\nall:\n"}, ["h"]),
    "err-range": ({"h": "a[3:1]\n"}, ["h"]),
    "err-range2": ({"h": "a[01:100]\n"}, ["h"]),
    "err-range3": ({"h": "a[1:]\n"}, ["h"]),
    "err-range4": ({"h": "a[a:Z]\n"}, ["h"]),
    "err-loop": ({"h": "[a:children]\nb\n[b:children]\na\n[b]\n"}, ["h"]),
    "err-self": ({"h": "[a:children]\na\n"}, ["h"]),
    "err-yaml": ({"h.yml": "all:\n  hosts: [a]\n"}, ["h.yml"]),
    "err-yaml2": ({"h.yml": "all: 1\nb:\n  foo: {}\n  bar: 1\n  hosts: {x: }\n"}, ["h.yml"]),
    "err-yaml3": ({"h.yml": "- a\n"}, ["h.yml"]),
    "err-yaml4": ({"h.yml": "all: {\n"}, ["h.yml"]),
    "err-plugin": ({"h.yml": "plugin: foo\n"}, ["h.yml"]),
    "err-missing": ({}, ["nope"]),
    "partial": ({"x1": "[grp]\nok1\nbad foo\n", "x2": "yy\n"}, ["x1", "x2"]),
    "duplicate-localhost": ({"h": "127.0.0.1\nlocalhost a=1\n"}, ["h"]),
    "same-name": ({"h": "[x]\nx\n"}, ["h"]),
    "localhost": ({"h": "127.0.0.1\n"}, ["h"]),
    "empty": ({"h": "\n"}, ["h"]),
}

OPTIONS = ["--list", "--list --export", "--list --yaml", "--list --yaml --export", "--graph", "--graph --vars"]

PATTERN_FILES = {
    "hosts": "lonely\n[web]\nw[1:5]\n[db]\nd[1:3]\nw1\n[prod:children]\ndb\nsub\n[sub]\ns1\nx.y.z\n[web_x]\nw3\nq1\n[2001:db8::1]:22\n",
    "limit": "w1\n\n d2 \nnope\n",
}

PATTERNS = """all
*
web
w1
web:db
web,db
web db
web:&db
web:!db
!db
&db
!w1:web
web:!w1:!w2
web:&prod:!w1
db:web
w*
w?
w[12]
w[!12]
w[1-3]
web[0]
web[-1]
web[1:3]
web[1:]
web[0:0]
web[3:1]
web[9]
web[1-2]
web[2:99]
web*[0]
db[0]:web[0]
~w[123]
~(w|d)1
~.*1$
~[
prod
prod:web
ungrouped
lonely
localhost
127.0.0.1
::1
localhost,w1
all:!localhost
nope
nope:web
web:!nope
web:&nope
w1,w1,w2
,
w1,,w2
 w1 , w2 
x.y.z
x.*
*.z
x.y
W1
2001:db8::1
[2001:db8::1]
w1:w2:d1
web:db[0]
web[0:1]:db[-1]
prod[0]
all[0]
all[-1]
web_?
we*
*_x
w1:&web_x
web:&web_x
!all
all:!all
@limit""".split("\n")


def normal(text, root):
    """Messages without the place of the temporary directory."""
    return text.replace(str(root) + "/", "").replace(str(root), "")


def run(arguments, root):
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(root), "ANSIBLE_DEPRECATION_WARNINGS": "0", "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0", "COLUMNS": "100000",
    }
    done = subprocess.run(arguments, cwd=root, env=environment, capture_output=True, text=True)
    return done.returncode, normal(done.stdout, root), normal(done.stderr, root)


def make(files, root):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if text.startswith("#!"):
            path.chmod(0o755)


def main():
    # With names, only these cases are recorded again.
    path = OUT / "inventory.json"
    known = {case["name"]: case for case in json.loads(path.read_text())["cases"]} if sys.argv[1:] else {}
    cases = []
    for name, (files, sources) in CASES.items():
        if name in known and name not in sys.argv[1:]:
            cases.append(known[name])
            continue
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            make(files, root)
            inventory = [word for source in sources for word in ("-i", source)]
            outputs = {}
            warnings = None
            for options in OPTIONS[:1] if name.startswith("err") else OPTIONS:
                command = [BIN / "ansible-inventory", *inventory, "--playbook-dir", str(root), *options.split()]
                code, out, err = run(command, root)
                if code != 0:
                    raise SystemExit(f"{name} {options}: {err}")
                outputs[options] = out
                if warnings is None:
                    warnings = re.findall(r"^\[WARNING\]: (.*)$", err, re.M)
            cases.append({"name": name, "files": files, "sources": sources, "outputs": outputs, "warnings": warnings})
    patterns = []
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        make(PATTERN_FILES, root)
        script = """
import json, sys
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
patterns = json.load(sys.stdin)
result = []
for pattern in patterns:
    inventory = InventoryManager(DataLoader(), ['hosts'])
    try:
        if pattern.startswith('@'):
            inventory.subset(pattern)
            pattern = 'all'
        result.append({'hosts': [h.name for h in inventory.get_hosts(pattern)]})
    except Exception as error:
        result.append({'error': str(error)})
print(json.dumps(result))
"""
        done = subprocess.run([sys.executable, "-c", script], cwd=root, input=json.dumps(PATTERNS), capture_output=True, text=True)
        for pattern, result in zip(PATTERNS, json.loads(done.stdout)):
            patterns.append({"pattern": pattern, **result})
    table = {"cases": cases, "pattern_files": PATTERN_FILES, "patterns": patterns}
    path.write_text(json.dumps(table, indent=1) + "\n")
    print(f"{len(cases)} inventories, {len(patterns)} patterns", file=sys.stderr)


if __name__ == "__main__":
    main()
