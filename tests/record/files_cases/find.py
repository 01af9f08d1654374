from common import D, case

T = "mkdir -p d/e d/.h; echo 1 > d/a.txt; printf 'hello world\\nfoo\\n' > d/b.log; echo 3 > d/e/c.txt; echo 4 > d/.h/x.txt; echo 5 > d/.hidden; ln -s a.txt d/l; ln -s nowhere d/dang; "
OLD = "touch -d '3 days ago' d/a.txt; "

# No part on the controller.
DIRECT = True

CASES = [
    case("plain", T, paths=D + "d"),
    case("list", T, paths=[D + "d", D + "d/e"]),
    case("recurse", T, paths=D + "d", recurse=True),
    case("pattern", T, paths=D + "d", patterns="*.txt", recurse=True),
    case("patterns", T, paths=D + "d", patterns="*.txt,*.log"),
    case("pattern list", T, paths=D + "d", patterns=["a*", "b*"]),
    case("regex", T, paths=D + "d", patterns="^[ab]\\..*", use_regex=True),
    case("regex with comma list", T, paths=D + "d", patterns=["^a{1,2}\\.txt$"], use_regex=True),
    case("hidden", T, paths=D + "d", hidden=True, recurse=True),
    case("directories", T, paths=D + "d", file_type="directory"),
    case("directories hidden recurse", T, paths=D + "d", file_type="directory", hidden=True, recurse=True),
    case("links", T, paths=D + "d", file_type="link"),
    case("any", T, paths=D + "d", file_type="any"),
    case("excludes", T, paths=D + "d", excludes="*.log"),
    case("excludes regex", T, paths=D + "d", excludes=["^b"], use_regex=True),
    case("age older", T + OLD, paths=D + "d", age="1d"),
    case("age newer", T + OLD, paths=D + "d", age="-1d"),
    case("age seconds", T + OLD, paths=D + "d", age="3600"),
    case("age weeks", T + OLD, paths=D + "d", age="1w"),
    case("age bad", T, paths=D + "d", age="x"),
    case("age_stamp", T, paths=D + "d", age="-1h", age_stamp="ctime"),
    case("size bigger", T, paths=D + "d", size="5"),
    case("size smaller", T, paths=D + "d", size="-5"),
    case("size k", T + "head -c 3000 /dev/zero > d/big; ", paths=D + "d", size="2k"),
    case("size bad", T, paths=D + "d", size="5q"),
    case("contains", T, paths=D + "d", contains=".*wor.*"),
    case("contains not whole", T, paths=D + "d", contains="world"),
    case("contains at start", T, paths=D + "d", contains="hello"),
    case("contains whole file", T, paths=D + "d", contains="world\\nfoo", read_whole_file=True),
    case("checksum", T, paths=D + "d", get_checksum=True, patterns="*.txt"),
    case("checksum sha256", T, paths=D + "d", get_checksum=True, checksum_algorithm="sha256", patterns="*.txt"),
    case("depth", T, paths=D + "d", recurse=True, depth=1),
    case("depth two", T, paths=D + "d", recurse=True, depth=2),
    case("follow", T + "mkdir o; echo x > o/y; ln -s ../o d/lo; ", paths=D + "d", recurse=True, follow=True),
    case("missing path", paths=D + "no"),
    case("missing and there", T, paths=[D + "no", D + "d"]),
    case("file as path", T, paths=D + "d/a.txt"),
    case("limit", T, paths=D + "d", limit=1, patterns="a.txt"),
    case("mode exact", T + "chmod 600 d/a.txt; ", paths=D + "d", mode="0600"),
    case("mode at least", T + "chmod 755 d/a.txt; ", paths=D + "d", mode="0111", exact_mode=False),
    case("alias path", T, path=D + "d", pattern="*.log"),
    case("check", T, paths=D + "d", check=True),
    case("empty directory", "mkdir d", paths=D + "d"),
    case("empty path", T, paths=["", D + "d"]),
]
