#!/usr/bin/env python
"""Record how ansible-core reads and writes YAML.

Run with the Python that has ansible-core 2.19; writes crates/lang/tests/recorded/yaml_load.json and yaml_dump.json.
"""

import datetime
import json
import pathlib
import sys

from ansible._internal._datatag._tags import Origin, TrustedAsTemplate
from ansible.parsing.utils.yaml import from_yaml
from ansible.parsing.vault import EncryptedString
from ansible.template import trust_as_template

OUT = pathlib.Path(__file__).resolve().parents[2] / "crates/lang/tests/recorded"

LOAD = r"""
a: 2001-12-14
a: 2001-12-14t21:59:43.10-05:00
a: 2001-12-14 21:59:43.10 -5
a: 2001-1-1 1:00:00
a: 2001-12-15 2:59:43Z
a: 2001-1-1
a: [1:30, 0o17, 017, 09, 1_000, 0b11, .inf, -.inf, +.Inf, .NaN, 1e3, 1.5e3, 1.5e+3, 190:20:30, 190:20:30.15]
a: [+12, 0x_f, -0, 1__0, 0., .5, -.5, 12345678901234567890123, -9223372036854775808, 9223372036854775808]
a: [0xffffffffffffffffffff, 0777777777777777777777777, 1.0e+400, 0_, 1_, 1.0, 1.e+1, -1, +1.5, 0x1F, -0x1f, -017, 1:60]
a: [yes, Yes, YES, yEs, no, No, NO, true, True, TRUE, tRue, on, On, ON, off, Off, OFF, y, n, Y, N]
a: [null, Null, NULL, ~, nulL, '', "", '~', "yes"]
a: [ 0., 0.5, 00.5, 1.2.3, 1-2, 1.5e-3, 100000000000000000000.0, 1.0e-7, 123456789.123456789]
a: !!str 1
a: !!int '3'
a: !!int "0x1f"
a: !!bool 'yes'
a: !!bool 'TruE'
a: !!null ''
a: !!float 1
a: !!float "1e3"
a: !!timestamp 2001-01-01
a: !!map {}
a: !!seq []
a: !!binary aGk=
a: !!omap [a: 1]
a: !!pairs [a: 1, a: 2]
a: ! 12
a: !<tag:yaml.org,2002:str> 12
a: !unsafe 1
a: !unsafe '{{ x }}'
a: !unsafe {x: '{{ y }}'}
a: !unsafe [a, [b]]
a: !vault x
a: !vault-encrypted x
a: !unsafe
a: {b: &x '{{ c }}', d: !unsafe [*x]}
{a: 1, a: 2}
{a: 1, b: 3, a: 2}
a: &x {b: 1}\nc: {<<: *x, d: 2}
a: {<<: [{b: 1},{b: 2,c: 3}]}
a: {b: 0, <<: {b: 1}}
a: {<<: {b: 1}, <<: {c: 1}}
<<: {a: 1}
? <<\n: {a: 1}
'<<': {a: 1}
a: {=: 1}
a: {b: 1, <<: {<<: {c: 3}, d: 4}}
1: a
~: a
1.5: a
yes: a
'1': a
{"a": 1e3}
{"a": NaN}
{"a": [1, 2.5, -0.0, true, null, "\u00e9\n\ud83d\ude00"]}
{"__ansible_vault": "abc"}
{"__ansible_unsafe": "abc"}
{"a": {"__ansible_vault": "x", "b": 1}}
{"a":1,"a":2}
{"a": 01}
{"a": 12345678901234567890123}
[1,]
[1, 2]\n
"text"
Infinity
NaN
12
1e3
---\n
--- a
--- |\n  a\n  b\n
a: |\n  x\n  y\n
a: |-\n  x\n  y\n\n
a: |+\n  x\n\n
a: >\n  x\n  y\n\n  z\n
a: >-\n  x\n   y\n  z\n
a: |2\n    x\n
a: |\n  x
a: \tb
a: "x\n  y"
a: "x\\\n   y"
a: 'x\n\n  y'
a: 'it''s'
a: "\x41\u00e9\U0001F600\t\e\_\N\L\P"
a: x # comment
a: x#y
a: 'b'\nc:\n  - d\n  -   e\n  - {f: g}\n
- a\n- - b\n  - c\n
&a a: b
a: &b c\nd: *b
a: été\nbé: ç
a: http://x:80/y
a: b:c
- hosts: all\n  tasks:\n  - debug: msg=hi\n
a: foo\n  bar\n  baz
key with space: v
"quoted": v
? a\n? b
a:\n- 1\n- 2
a: *x
a: =
a: !foo x
a: !!python/none x
a: !!merge x
c: {<<: 1}
c: {<<: [1]}
? [a,b]\n: 1
a: {x}\n\tb: 1
a: b: c
a: 'x
- a\nb: c
a: 1\n---\nb: 2
a: !!seq x
a: !!map x
a: !!str [1]
a: !!set [a]
a: 0b_
a: 0x_
a: !!int x
a: !!float x
a: @x
a: `x
a: {{ x }}
a: {{ x }}/b
a: "x" y
a: 'it's'
a: %x
a: }
a: [1,2
%FOO bar\n---\na: 1
foo:\n  a: x\n   b: c
- debug: msg='a: b'
- shell: echo 'a' : b: c
a: |\n\tx
a:\n\t- b
\ta: b
a:\n  - b\n - c
&x *y
a: !vault [1]
a: !vault {x: 1}
a: !vault
2001-13-45
a: 2001-02-30
a: "\ud83d"
!foo {a: b}
{"a":1}x
{"a":1}\n---\nb
a: "\q"
a: [b\nc: d
""".strip("\n").split("\n")


def typed(value):
    """A value as JSON that keeps its type, its trust and where it was written."""
    if isinstance(value, EncryptedString):
        return ["vault", value._ciphertext]
    if value is None:
        return ["null"]
    if isinstance(value, bool):
        return ["bool", bool(value)]
    if isinstance(value, int):
        return ["int", str(int(value))]
    if isinstance(value, float):
        return ["float", repr(float(value))]
    if isinstance(value, (datetime.date, datetime.datetime)):
        return ["str", value.isoformat()]
    if isinstance(value, bytes):
        return ["str", value.decode()]
    if isinstance(value, str):
        if not TrustedAsTemplate.is_tagged_on(value):
            return ["str", str(value)]
        origin = Origin.get_tag(value)
        return ["template", str(value), origin and origin.line_num, origin and origin.col_num]
    if isinstance(value, (list, tuple)):
        return ["list", [typed(v) for v in value]]
    if isinstance(value, dict):
        return ["map", [[typed(k), typed(v)] for k, v in value.items()]]
    raise TypeError(type(value))


def load_cases():
    cases = []
    for line in LOAD:
        text = line.replace("\\n", "\n") if not line.startswith('{"') else line
        text = text.replace("\\t", "\t") if text.startswith(("a: \\t", "\\t")) or "\n\\t" in text else text
        try:
            value = from_yaml(trust_as_template(text), file_name="/t.yml")
            cases.append({"text": text, "value": typed(value)})
        except Exception as error:  # the message is the record
            origin = Origin.get_tag(getattr(error, "obj", None)) if getattr(error, "obj", None) is not None else None
            if isinstance(getattr(error, "obj", None), Origin):
                origin = error.obj
            cases.append({"text": text, "error": str(error), "line": origin and origin.line_num, "column": origin and origin.col_num})
    return cases


DUMP = [
    {"line": "line1\nline2\n", "colon": "x: y", "yes": "yes", "empty": "", "none": None, "float": 1.0},
    [1e20, 1e-7, 1.5e-7, 0.1, 100000.0, 1e16, 1e15, 123456789.123456789, float("inf"), float("-inf"), -0.0, 5e-324],
    [[], {}, [[]], [{}], {"a": []}, {"a": {}}, {"a": [[]]}],
    ["é", "\t", "#x", "a#x", "a #x", " x", "x ", "1e3", "1.5", "=", "<<", "2001-01-01", "-", "- a", "-a", "?", ":", "a:", "a: b"],
    ["\U0001F600", "\x00", "x\u2028y", "\x85", "\xa0", "\ufeff", "\x7f", "\x1b[0m", "a\rb", "a\r\nb", "\n", "\n\n", "\na", "a\n\nb"],
    ["yes", "No", "on", "y", "n", "null", "~", "Null", "true", "0644", "0o644", "0x1f", "1_000", "1:30", "12:30:45", ".5", "-.5", ".inf", ".nan", "09", "+1", "1.", "0_"],
    ["!x", "&x", "*x", "%x", "@x", "`x", "|x", ">x", "'x", '"x', "{x", "}x", "[x", "]x", ",x", "x,y", "x]", "{{ x }}", "it's", 'say "x"'],
    ["a" * 100 + " b", "word " * 40, ("word " * 40).strip(), "x" * 200, "a\n" + "word " * 40, "é " * 60, "it's " * 30, "a: " * 40],
    {"k" * 130: 1}, {"k" * 127: 1}, {"k" * 128: 1}, {"multi\nline": 1}, {"": 1}, {"a b": 1}, {"word " * 30: 2},
    {1: 2, 3: 4}, {"b": 1, "a": 2}, {True: 1, False: 2}, {None: 1}, {2: 1, "a": 2}, {1.5: 1, 0: 2}, {10: 1, 9: 2},
    "x", 1, None, True, 1.5, "", "x\n", "a\nb", "- a", "---", "...", "--- x", 10**30, -(10**30), [], {},
    {"a": [{"b": 1, "c": [1, 2]}, {"d": {"e": [{"f": 1}]}}], "g": {"h": {"i": "j"}}},
    [[1, [2, [3, [4]]]], [{"a": [{"b": []}]}]],
    {"script": "#!/bin/sh\nset -e\n  indented\n\ttab\n", "cmd": "echo 'a' && echo \"b\" | tee /x  "},
    {"path": "C:\\x\\y", "re": "^a.*[b]{2}\\s+$", "url": "http://x:80/?a=b&c=d#e", "tpl": "{{ x | d('y') }}"},
    ["trailing space ", "tab\tinside", "two  spaces", "  lead", "a  \n  b", "x\n ", " \n"],
    {"list": ["a" * 50, "b" * 50, "c" * 50], "map": {"a" * 30: "b" * 30, "c" * 30: "d" * 30}},
]

OPTIONS = [
    {},
    {"default_flow_style": False, "indent": 4},
    {"default_flow_style": False, "indent": 2, "sort_keys": False},
    {"default_flow_style": True},
    {"width": 20, "explicit_start": True},
    {"width": 1000, "explicit_end": True, "indent": 8},
    {"allow_unicode": False},
    {"default_style": '"'},
    {"default_style": "|"},
    {"canonical": True},
]


def dump_cases():
    """What the filters `to_yaml` and `to_nice_yaml` print."""
    import yaml
    from ansible.parsing.yaml.dumper import AnsibleDumper

    cases = []
    shared = {"x": [1, {"y": 2}]}
    for value in DUMP + [[shared, shared, shared["x"]], {"b": shared["x"], "a": shared, "c": {"d": shared}}]:
        for options in OPTIONS:
            arguments = {"allow_unicode": True, "default_flow_style": None, **options}
            # The library gives None for what is not passed; to_yaml passes default_flow_style=None.
            text = yaml.dump(value, Dumper=AnsibleDumper, **arguments)
            cases.append({"value": typed(value), "options": options, "yaml": text})
    return cases


def write(name, cases):
    path = OUT / name
    path.write_text("[\n" + ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases) + "\n]\n")
    print(f"{path}: {len(cases)} cases", file=sys.stderr)


if __name__ == "__main__":
    write("yaml_load.json", load_cases())
    write("yaml_dump.json", dump_cases())
