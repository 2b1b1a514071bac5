"""Checks what a Signalbox log hands out, with Python and openssl alone; exit code 0 means that all of it holds.
verify_log.py VKEY folder DIR                  signature, entries, tiles and root of an export
verify_log.py VKEY proof FILE                  that the entry inside of a .tlog-proof is in the log
verify_log.py VKEY growth OLD_CHECKPOINT FILE  that the log of an old checkpoint begins the newer one"""
import base64, hashlib, pathlib, re, subprocess, sys, tempfile
def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()
def node(left, right): return sha(b"\1", left, right)
def split(n): return 1 << (n - 1).bit_length() - 1  # the largest power of two below n
def need(holds, what): return holds or sys.exit("NOT VERIFIED: " + what)
def binary(text): return need(base64.b64encode(base64.b64decode(text)).decode() == text, text) and base64.b64decode(text)
def text(*path): return pathlib.Path(*path).read_bytes().decode()
def root(hashes):  # RFC 6962, 2.1
    k = split(len(hashes)) if len(hashes) > 1 else 0
    return node(root(hashes[:k]), root(hashes[k:])) if k else hashes[0] if hashes else sha()
def inclusion(path, index, size, hash):  # RFC 6962, 2.1.1, from the root down, until the path is used up
    if size == 1: return need(index == 0 and not path, "too many hashes, or no such place") and hash
    sibling, k = need(path, "too few hashes").pop(), split(size)
    return node(inclusion(path, index, k, hash), sibling) if index < k else node(sibling, inclusion(path, index - k, size - k, hash))
def consistency(path, old, new, hash, known=True):  # RFC 6962, 2.1.2, from the root down: the old and the new root
    if old == new: return need(len(path) == (not known), "too many or too few hashes") and (hash if known else path[0],) * 2
    sibling, k = need(path, "too few hashes").pop(), split(new)
    if old > k: return tuple(node(sibling, below) for below in consistency(path, old - k, new - k, hash, False))
    return (below := consistency(path, old, k, hash, known))[0], node(below[1], sibling)
def opened(note, vkey):  # the size and the root in a checkpoint, if the key signed it
    (name, key_id, key), (body, lines) = vkey.split("+", 2), note.rsplit("\n\n", 1)
    blobs = map(binary, re.findall(f"^— {re.escape(name)} (\\S+)$", lines, re.MULTILINE))
    files = {"body": f"{body}\n".encode(), "sig": b"".join(blob[4:] for blob in blobs if blob[:4].hex() == key_id), "key": bytes.fromhex("302a300506032b6570032100") + binary(key)[1:]}  # an Ed25519 key as RFC 8410 has it
    with tempfile.TemporaryDirectory() as folder:
        for file in files: pathlib.Path(folder, file).write_bytes(files[file])
        failed = subprocess.run("openssl pkeyutl -verify -rawin -in body -sigfile sig -pubin -keyform DER -inkey key".split(), cwd=folder, capture_output=True).returncode
    need(not failed and body.split("\n")[0] == name, f"no checkpoint of {name}, signed by {vkey}")
    return int(body.split("\n")[1]), binary(body.split("\n")[2])
def tiles(folder, kind, count):  # the bytes of all tiles of one level, or of all bundles of entries
    for n in range((count + 255) // 256):
        *high, low = re.findall("...", f"{n:0{(len(str(n)) + 2) // 3 * 3}}")
        name = low + (f".p/{count % 256}" if n == count // 256 else "")
        yield pathlib.Path(folder, "tile", kind, *(f"x{group}" for group in high), name).read_bytes()
def leaves(bundle, at=0):  # each entry comes after two bytes of length
    while at < len(bundle): yield sha(b"\0", bundle[(start := at + 2):(at := start + int.from_bytes(bundle[at:start], "big"))])
def folder(vkey, at):
    (size, top), level = opened(text(at, "checkpoint"), vkey), 0
    hashes = [leaf for bundle in tiles(at, "entries", size) for leaf in leaves(bundle)]
    need(len(hashes) == size and root(hashes) == top, "the entries do not give the signed root")
    while hashes:
        need(b"".join(tiles(at, str(level), len(hashes))) == b"".join(hashes), f"the tiles of level {level}")
        hashes, level = [root(hashes[n:n + 256]) for n in range(0, len(hashes) - 255, 256)], level + 1
def proof(vkey, file):
    (version, extra, index, *path), note = text(file).split("\n\n", 1)[0].split("\n"), text(file).split("\n\n", 1)[1]
    (size, top), entry = opened(note, vkey), binary(extra.removeprefix("extra "))
    found = inclusion([*map(binary, path)], int(index.removeprefix("index ")), size, sha(b"\0", entry))
    need(version == "c2sp.org/tlog-proof@v1" and found == top, "the entry is not at this place")
def growth(vkey, before, file):
    (size, *path), note = text(file).split("\n\n", 1)[0].split("\n"), text(file).split("\n\n", 1)[1]
    (old, old_root), (new, new_root) = opened(text(before), vkey), opened(note, vkey)
    need(size == f"old {old}" and 0 < old <= new, "the log has shrunk, or the proof is for another size")
    need(consistency([*map(binary, path)], old, new, old_root) == (old_root, new_root), "the log was rewritten")
if __name__ == "__main__":
    try: print({"folder": folder, "proof": proof, "growth": growth}[sys.argv[2]](sys.argv[1], *sys.argv[3:]) or "verified")
    except (OSError, ValueError, LookupError, TypeError) as error:  # 2: it cannot be read
        sys.exit(print(f"NOT VERIFIED: {error if sys.argv[3:] else __doc__}", file=sys.stderr) or 1 + isinstance(error, OSError))
