from common import D, case

# No part on the controller.
DIRECT = True

CASES = [
    case("text", "echo hello > f", src=D + "f"),
    case("check", "echo hello > f", src=D + "f", check=True),
    case("binary", "printf '\\000\\377a' > f", src=D + "f"),
    case("empty", ": > f", src=D + "f"),
    case("missing", src=D + "f"),
    case("directory", "mkdir f", src=D + "f"),
    case("link", "echo a > f; ln -s f l", src=D + "l"),
    case("alias", "echo a > f", path=D + "f"),
    case("unicode", "echo a > 'ä ö'", src=D + "ä ö"),
    case("below a file", "touch f", src=D + "f/g", own_words="Ansible forgets the name"),
]
