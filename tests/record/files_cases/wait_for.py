from common import D
from common import case as plain

# The port of the server is open; port 1 of the machine is not.
SERVER = True
DIRECT = True


def case(name, setup="", **args):
    """Nothing waits for five minutes."""
    return plain(name, setup, **{"timeout": 3, **args})


CASES = [
    case("port is open", port="@PORT@"),
    case("port is open, check", check=True, port="@PORT@"),
    case("port is not open", once=True, port=1, timeout=2, sleep=1),
    case("own message", once=True, port=1, timeout=1, msg="sorry"),
    case("port is closed", port=1, state="stopped"),
    case("port is absent", port=1, state="absent"),
    case("port does not close", once=True, port="@PORT@", state="stopped", timeout=1),
    case("port answers", port="@PORT@", search_regex="HTTP", timeout=2, once=True),
    case("host", host="localhost", port="@PORT@"),
    case("drained", port=1, state="drained", timeout=2),
    case("drained, other hosts", port=1, state="drained", exclude_hosts="127.0.0.1", timeout=2),
    case("drained without port", state="drained", timeout=1, better="it crashes", ours={"msg": 'state=drained should only be used for checking a port in the wait_for module'}),
    case("exclude without drained", port=1, exclude_hosts="127.0.0.1", timeout=1),
    case("unknown connection state", port=1, state="drained", active_connection_states=["ODD"], timeout=1),
    case("path is there", "touch f", path=D + "f"),
    case("path is not there", once=True, path=D + "f", timeout=1),
    case("path is absent", path=D + "f", state="absent"),
    case("path does not vanish", "touch f", once=True, path=D + "f", state="absent", timeout=1),
    case("path is stopped", path=D + "f", state="stopped"),
    case("path by a link", "ln -s nowhere l", once=True, path=D + "l", timeout=1),
    case("directory", path=D),
    case("text is there", "printf 'one\\ntwo 22\\nthree\\n' > f", path=D + "f", search_regex="^two (\\d+)$"),
    case("text with names", "echo 'a=1 b=2' > f", path=D + "f", search_regex="a=(?P<first>\\d) b=(?P<second>\\d)"),
    case("text with nothing in a group", "echo b > f", path=D + "f", search_regex="(a)?(b)"),
    case("text is not there", "echo one > f", once=True, path=D + "f", search_regex="two", timeout=1),
    case("text is gone", "echo one > f", path=D + "f", search_regex="two", state="absent"),
    case("text does not go", "echo one > f", once=True, path=D + "f", search_regex="one", state="absent", timeout=1),
    case("text of an empty file", "touch f", once=True, path=D + "f", search_regex="x", timeout=1),
    case("text in no file, to be absent", path=D + "f", search_regex="x", state="absent"),
    case("wrong expression", "touch f", path=D + "f", search_regex="(", timeout=1),
    case("time alone", once=True, timeout=1),
    case("time and delay", once=True, timeout=1, delay=1),
    case("path and port", path=D + "f", port=1),
    case("stopped without anything", state="stopped", timeout=1),
    case("started with own states", port="@PORT@", active_connection_states=["ESTABLISHED"]),
    case("state", port=1, state="odd"),
    case("port is no number", port="x"),
]
