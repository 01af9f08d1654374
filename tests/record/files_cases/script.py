from common import D, both, case

S = "printf '#!/bin/sh\\necho out \"$@\"; echo err >&2; pwd; exit ${1:-0}\\n' > s.sh; "

CASES = [
    *both("simple", S, _raw_params="@D@/s.sh 0 'a b' c", chdir="/"),
    case("fails", S, _raw_params="@D@/s.sh 3", chdir="/"),
    *both("creates there", S + "touch f", _raw_params="@D@/s.sh", creates=D + "f"),
    *both("creates missing", S, _raw_params="@D@/s.sh", creates=D + "f", chdir="/"),
    *both("removes missing", S, _raw_params="@D@/s.sh", removes=D + "f"),
    case("executable", "echo 'echo $BASH_VERSION | cut -c1; echo $1' > s", _raw_params="@D@/s x", executable="/bin/bash"),
    case("cmd", S, cmd="@D@/s.sh 0 x", chdir="/"),
]
