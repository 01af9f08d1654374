from common import D, case

CASES = [
    case("missing directory", path=D + "no"),
]
