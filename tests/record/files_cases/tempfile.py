from common import D, case

# No part on the controller.
DIRECT = True

CASES = [
    case("missing directory", path=D + "no", own_words="a random name"),
]
