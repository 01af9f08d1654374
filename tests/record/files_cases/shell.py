from common import D, both, case

CASES = [
    *both("pipes", cmd="echo a b | tr a-z A-Z > @D@/f; cat @D@/f"),
    case("bash", cmd="echo $0 ${BASH_VERSION:+yes}", executable="/bin/bash"),
    case("default shell", cmd="echo $0"),
    case("shell missing", cmd="echo $0", executable="/bin/nosuch"),
    case("lines", cmd="echo a\necho b\n\nfalse\n"),
    case("chdir", cmd="pwd; ls", chdir=D),
    *both("creates", "touch 'a b'", cmd="echo x", creates=D + "a b"),
    *both("removes", cmd="echo x", removes=D + "a"),
    case("stdin", cmd="cat; cat", stdin="x"),
    case("command not found", cmd="nosuchprogram"),
    case("syntax error", cmd="if"),
    case("umask and environment", cmd="umask; echo $LANG $LC_ALL", environment={"LC_ALL": "C.UTF-8", "LANG": "C"}),
    case("killed", cmd="kill -15 $$"),
    case("exit code", cmd="exit 42"),
]
