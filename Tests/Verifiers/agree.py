"""Says of each line of a file of proofs whether it holds: 1 or 0. The lines are described in README.md."""

import pathlib
import sys

from verify_log import consistency, inclusion, opened


def holds(kind, *words):
    try:
        if kind == "note":
            vkey, text = words
            return opened(bytes.fromhex(text).decode(), vkey) is not None
        first, second = int(words[0]), int(words[1])
        one, other = bytes.fromhex(words[2]), bytes.fromhex(words[3])
        path = [bytes.fromhex(hash) for hash in words[4].split(",") if hash]
        if kind == "inclusion":
            return 0 <= first < second and inclusion(path, first, second, one) == other
        return 0 < first <= second and consistency(path, first, second, one) == (one, other)
    except (SystemExit, ValueError):
        return False


for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
    print(int(holds(*line.split(" "))))
