#!/usr/bin/env python3
"""Record how ansible-core takes lines of arguments apart: crates/lang/tests/recorded/playbook_words.json.

    ~/venv/bin/python tests/record/playbook_words.py
"""

import json
import pathlib
import random

from ansible.parsing.splitter import parse_kv

PIECES = ["src=a", "dest=b", "x", "a=b=c", "=", "=x", "y=", "'", '"', "k='v w'", 'k="v w"', "{{", "}}", "{{ a }}", "{%", "%}",
          "{# c #}", "\\", "\\n", "\\=", "a\\=b", "\n", "  ", " ", " ", " ", "creates=/x", "chdir='/y z'", "echo", "hi", "{{ a | b('c') }}",
          "m={{ x }}", "m='{{ x }}'", 'm="{{ \'a b\' }}"', "\\x41", "\\u00e4", "\\101", "\t", "k=v\\tw", "#", "é", "warn=no", "\\'", "'a'=b"]
FIXED = [
    "", " ", "src=a dest=b", "echo hi", "echo  hi   there", "echo hi creates=/tmp/x", "a='b c' d=\"e f\"", "a=b\nc=d", "a=b \\\nc=d",
    "echo a\necho b", "  lead", "content={{ var }} dest=x", "content='{{ var }}' dest=x", "msg={{ 'a b' + \"c d\" }}", "when={% if a %}b{% endif %}",
    "a=b=c", "msg=\"a\\nb\"", "regexp='^a\\s+b' line=x", "path=C:\\\\temp", "a= b", "k = v", "name='it''s'", "msg=it's", "msg='it\\'s'", "x=\"\\\"q\\\"\"",
    "echo \"a  b\"   c", "a='x\n  y' b=z", "echo {{ a }}{{ b }} c", "echo {{ a\n}} b", "ls -l | grep a=b", "FOO=bar cmd", "cmd chdir=/x FOO=bar",
    "echo 'unbalanced", "a={{ b", "echo it\\'s", "line='a=b'", "a=\"b\"c", "stdin=x executable=/bin/sh cat", "removes=/x rm", "expand_argument_vars=no echo",
    "strip_empty_ends=no echo", "stdin_add_newline=no cat", "foo=bar", "a=1 a=2", "''", "'a b'", "k='' j=\"\"", "k='a'\\''b'", "\\u12", "a=\\x4",
]


def main():
    rng = random.Random(5)
    texts = FIXED + ["".join(rng.choice(PIECES) for _ in range(rng.randint(1, 9))) for _ in range(700)]
    rows = []
    for text in texts:
        row = [text]
        for free in (False, True):
            try:
                row.append({str(k): str(v) for k, v in parse_kv(text, check_raw=free).items()})
            except Exception as error:
                row.append(type(error).__name__)
        rows.append(row)
    path = pathlib.Path(__file__).resolve().parents[2] / "crates/lang/tests/recorded/playbook_words.json"
    path.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n")


main()
