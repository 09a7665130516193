"""Checks a row proof of vembed with Python alone: check_row_proof.py FILE  (format: include/vembed/verify/row_proof.hpp)
Exits with 0 where all that it claims holds, 2 where FILE cannot be read, else 5, also where vembed says not checkable (6)."""
import argparse, base64, hashlib, json, re, sys
need = lambda good, what="the form of a row proof": good or {}[what]  # raises where it is not good
unhex = lambda text: bytes.fromhex(need(re.fullmatch("[0-9a-f]{64}", text))[0])
unbase64 = lambda text: need(base64.b64encode(base64.b64decode(text)).decode() == text) and base64.b64decode(text)
sha, sha_00, join = lambda *p: hashlib.sha256(b"".join(p)).digest(), lambda d: sha(b"\0", d), lambda *two: sha(b"\1", *two)
OF_CHUNK, OF_TEXT = {"leaf-00/node-01": sha_00}, {"leaf-00/node-01": lambda d: None, "leaf-00-digest/node-01": sha_00}
ORDER = {"jcs": lambda m: m[0].encode("utf-16-be"), "sorted-ascii": lambda m: m[0], "as-sent": lambda m: 0}
place = dict(scheme=str, basis=str, index=int, size=int, leaf=str, path=list)
row = dict(number=int, rows=int, id=str, text_sha256=str, dimensions=int, bytes=str, sha256=str, path=list, root=str)
chunk = dict(row_start=int, row_end=int, selected_for_verification=bool, bytes=str, commitment=str, coding=str, basis=str)
platform = dict(job_id=str, receipt_id=str, receipt=str, receipt_hash=dict(scheme=str, basis=str), of_row=int, row_in_job=int,
                chunk=chunk, outputs_root=place, inputs_root=place, verification_attestation=place)
fits = lambda v, form: type(v) is form or type(v) is dict and v.keys() == form.keys() and all(  # form: a type or {members}
    v[k] is None and k in "id platform receipt_hash inputs_root verification_attestation".split() or fits(v[k], form[k]) for k in v)
def load(text, order=lambda m: 0):  # strict JSON, the members of its objects in an order
    members = lambda pairs: need(len(dict(pairs)) == len(pairs)) and dict(sorted(pairs, key=order))
    number = lambda word: int(need(re.fullmatch("0|[1-9][0-9]{0,14}", word))[0])
    value = json.loads(text, object_pairs_hook=members, parse_int=number, parse_float=number, parse_constant=number)
    return need(json.dumps(value, ensure_ascii=False).encode()) and value  # lone surrogates cannot be encoded
def root_of(p, leaf_of, thing):  # where the path from thing's leaf leads
    (leaf, odd), index, size, path = p["scheme"].rsplit("/", 1), p["index"], p["size"], [unhex(step) for step in p["path"]]
    need(leaf in leaf_of, "a tree that keeps data and nodes apart (of others see vembed check-proof --pins)")
    made, leaf, twice = leaf_of[leaf](thing), unhex(p["leaf"]), ("rfc6962", "duplicate").index(odd)
    need(made in (None, leaf) and index < size and p["basis"] in ("assumed", "pinned"))
    while size > 1:
        leaf = join(path.pop(0), leaf) if index % 2 else join(leaf, path.pop(0)) if index ^ 1 < size else join(leaf, leaf) if twice else leaf
        index, size = index // 2, (size + 1) // 2
    return need(not path) and leaf.hex()
def hash_of(receipt, scheme, basis):
    form, field = need(basis in ("assumed", "pinned")) and scheme.split("/")
    own = {**load(receipt, ORDER[form]), "receipt_hash": ""}
    need(field == "empty-receipt_hash" or field == "without-receipt_hash" and own.pop("receipt_hash") == "")
    return sha(json.dumps(own, separators=(",", ":"), ensure_ascii=form == "sorted-ascii").encode()).hex()
def findings(row, p):
    own, text, both = unbase64(row["bytes"]), unhex(row["text_sha256"]), unhex(row["text_sha256"]) + unhex(row["sha256"])
    here = {"scheme": "leaf-00/node-01/rfc6962", "basis": "pinned", "index": row["number"], "size": row["rows"], "leaf": sha_00(both).hex()}
    yield "row_bytes", len(own) == 4 * row["dimensions"] and sha(own).hex() == row["sha256"]
    yield "row_root " + row["root"], root_of({**row, **here}, OF_CHUNK, both) == row["root"]
    if not p: return
    c, receipt, rows, at = p["chunk"], load(p["receipt"]), unbase64(p["chunk"]["bytes"]), p["row_in_job"] - p["chunk"]["row_start"]
    made, basis = {"sha256": (sha(rows), "implied"), "sha256-twice": (sha(sha(rows)), "assumed")}[c["coding"]]
    need(all(type(receipt[name]) is str for name in "receipt_id job_id spec_hash inputs_root outputs_root receipt_hash".split()))
    need(type(receipt.get(sample := "verification_attestation", "")) in (str, type(None)))
    yield "receipt_ids", "" not in (ids := [p["receipt_id"], p["job_id"]]) and ids == [receipt["receipt_id"], receipt["job_id"]]
    if p["receipt_hash"]: yield "receipt_hash", hash_of(p["receipt"], **p["receipt_hash"]) == receipt["receipt_hash"]
    yield "output_commitment", made.hex() == c["commitment"] and c["basis"] in (basis, "pinned")
    yield "row_in_chunk", rows[max(at, 0) * len(own):][:len(own)] == own and len(rows) == (c["row_end"] - c["row_start"]) * len(own) > 0 <= at
    yield "outputs_root", root_of(p["outputs_root"], OF_CHUNK, made) == receipt["outputs_root"]
    if t := p["inputs_root"]: yield "inputs_root", t["index"] == p["row_in_job"] and root_of(t, OF_TEXT, text) == receipt["inputs_root"]
    if t := p[sample]: yield sample, c["selected_for_verification"] and root_of(t, OF_CHUNK, made) == receipt[sample]
def check(text):  # -> (whether all that the proof claims holds, what was checked)
    try:
        need(fits(proof := load(text), dict(vembed_row_proof=int, row=row, platform=platform)) and proof["vembed_row_proof"] == 1)
        return True, [need(good and "verified  " + name, name) for name, good in findings(proof["row"], proof["platform"])]
    except Exception as why: return False, [f"not verified: {why}"]
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("FILE", type=argparse.FileType(encoding="utf-8", errors="surrogateescape"))
    good, lines = check(parser.parse_args().FILE.read())
    print(*lines, "compare the row root with the published one; receipts are not signed: origin not proven", sep="\n")
    sys.exit(0 if good else 5)
