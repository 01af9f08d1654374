from common import D, both, case

CASES = [
    *both("simple", __raw_params="echo hello world", module="ansible.builtin.command"),
    case("cmd", cmd="echo hello 'a  b' \"c d\" e\\ f"),
    case("argv", argv=["echo", "a b", "$HOME", "c"]),
    case("variables", cmd="echo $HOME ${NOTHING} ~ '~' a~", environment={"HOME": "/x"}),
    case("variables not expanded", cmd="echo $HOME ~", expand_argument_vars=False),
    case("no shell", cmd="echo a > b | c && d; e *"),
    case("chdir", "mkdir d", cmd="pwd", chdir=D + "d"),
    case("chdir missing", cmd="pwd", chdir=D + "d"),
    *both("creates there", "touch f", cmd="touch g", creates=D + "f"),
    *both("creates missing", cmd="touch @D@/f", creates=D + "f"),
    *both("creates glob", "touch f1", cmd="touch g", creates=D + "f*"),
    *both("creates relative to chdir", "touch f", cmd="touch g", creates="f", chdir=D),
    *both("removes there", "touch f", cmd="rm @D@/f", removes=D + "f"),
    *both("removes missing", cmd="rm f", removes=D + "f"),
    *both("fails", cmd="false"),
    case("fails with output", "printf '#!/bin/sh\\necho out; echo err >&2; exit 3\\n' > s; chmod +x s", cmd="@D@/s"),
    *both("no such program", cmd="nosuchprogram a b"),
    case("not executable", "echo x > s", cmd="@D@/s"),
    case("killed", cmd="sh -c 'kill -9 $$'"),
    case("stdin", cmd="cat", stdin="a\nb"),
    case("stdin without newline", cmd="wc -c", stdin="abc", stdin_add_newline=False),
    case("stdin with newline", cmd="wc -c", stdin="abc"),
    case("no stdin", cmd="wc -c"),
    case("ends stripped", cmd="printf 'a\\n\\nb\\n\\n\\n'"),
    case("ends not stripped", cmd="printf 'a\\n\\nb\\n\\n\\n'", strip_empty_ends=False),
    case("no command", cmd=""),
    case("nothing"),
    case("both", cmd="a", argv=["b"]),
    case("open quote", cmd="echo 'a"),
    case("carriage returns", cmd="printf 'a\\r\\nb\\rc\\n'"),
    case("not utf-8", cmd="printf '\\377a'"),
    case("environment", cmd="sh -c 'echo $FOO'", environment={"FOO": "bar baz"}),
    case("executable ignored", cmd="echo a", executable="/bin/bash"),
    case("unicode", cmd="echo ä€ 😀"),
    case("background", cmd="sh -c 'sleep 0.1 & echo a'"),
    case("numbers in argv", argv=["echo", 1, 2.5, True]),
]
for c in CASES:
    c.setdefault("module", "ansible.builtin.command")
    if "_raw_params" in c["args"] or "__raw_params" in c["args"]:
        c["args"] = {"_raw_params": "echo hello world"}
