from common import D, both, case

F = D + "f"

# No part on the controller.
DIRECT = True

CASES = [
    *both("simple", "printf 'a1 a2\\na3\\n' > f", path=F, regexp="a(\\d)", replace="b\\1"),
    *both("remove", "printf 'a1 a2\\na3\\n' > f", path=F, regexp="a\\d ?"),
    *both("no match", "printf 'a1\\n' > f", path=F, regexp="x", replace="y"),
    *both("same", "printf 'a1\\n' > f", path=F, regexp="a", replace="a"),
    *both("named", "printf 'k=v\\n' > f", path=F, regexp="(?P<k>\\w)=(?P<v>\\w)", replace="\\g<v>=\\g<k>\\g<0>"),
    *both("multi-line anchors", "printf 'a\\nb\\na\\n' > f", path=F, regexp="^a$", replace="x"),
    *both("newlines in replace", "printf 'a,b\\n' > f", path=F, regexp=",", replace="\\n"),
    *both("after", "printf 'x\\nm\\nx\\n' > f", path=F, regexp="x", replace="y", after="m"),
    *both("before", "printf 'x\\nm\\nx\\n' > f", path=F, regexp="x", replace="y", before="m"),
    *both("after and before", "printf 'x\\n[a]\\nx\\n[b]\\nx\\n' > f", path=F, regexp="x", replace="y", after="\\[a\\]", before="\\[b\\]"),
    *both("after no match", "printf 'x\\n' > f", path=F, regexp="x", replace="y", after="m"),
    *both("file missing", path=F, regexp="x", replace="y"),
    *both("directory", "mkdir f", path=F, regexp="x", replace="y"),
    *both("backup", "printf 'x\\n' > f", path=F, regexp="x", replace="y", backup=True),
    *both("validate", "printf 'x\\n' > f", path=F, regexp="x", replace="y", validate="grep -q y %s"),
    *both("validate fails", "printf 'x\\n' > f", path=F, regexp="x", replace="y", validate="grep z %s"),
    *both("mode", "printf 'x\\n' > f", path=F, regexp="x", replace="y", mode="0600"),
    *both("mode only", "printf 'x\\n' > f", path=F, regexp="z", replace="y", mode="0600"),
    *both("link", "printf 'x\\n' > f; ln -s f l", path=D + "l", regexp="x", replace="y"),
    *both("lookbehind", "printf 'ab cb\\n' > f", path=F, regexp="(?<=a)b", replace="X"),
    *both("empty match", "printf 'abc\\n' > f", path=F, regexp="x*", replace="-", once=True),
    *both("unicode", "printf 'äöü\\n' > f", path=F, regexp="ö", replace="€"),
    *both("greedy lines", "printf 'a\\n  b\\n  c\\nd\\n' > f", path=F, regexp="(a\\n)(  .*\\n)+", replace="\\1  x\\n"),
    *both("flags", "printf 'ABC\\nabc\\n' > f", path=F, regexp="(?i)abc", replace="x"),
    case("bad regexp", "printf 'a' > f", path=F, regexp="(", replace="x"),
    case("bad group", "printf 'a\\n' > f", path=F, regexp="a", replace="\\1"),
    *both("encoding", "printf 'a\\344b\\n' > f", path=F, regexp="a", replace="x", encoding="latin-1"),
    *both("not utf-8", "printf 'a\\344b\\n' > f", path=F, regexp="a", replace="x"),
    case("no path", regexp="a"),
    *both("dollar and ampersand", "printf 'a\\n' > f", path=F, regexp="a", replace="$1 & $0"),
]
