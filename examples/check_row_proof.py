"""Checks a row proof of vembed with Python alone: python3 check_row_proof.py FILE. Format: include/vembed/verify/row_proof.hpp"""
import base64, hashlib, json, re, sys
need = lambda good, what="the form of a row proof": good or {}[what]  # raises where it is not good
unhex = lambda text: bytes.fromhex(need(re.fullmatch("[0-9a-f]{64}", text))[0])
unbase64 = lambda text: need(base64.b64encode(base64.b64decode(text)).decode() == text) and base64.b64decode(text)
sha, sha_00 = lambda *parts: hashlib.sha256(b"".join(parts)).digest(), lambda data: sha(b"\0", data)
sha_hex = lambda *digests: sha(b"".join(digests).hex().encode())
NODE = {"node-01": lambda left, right: sha(b"\1", left, right), "node-plain": sha, "node-hex": sha_hex}
OF_CHUNK = {"leaf-00": sha_00, "leaf-plain": sha, "leaf-digest": bytes, "leaf-hex": sha_hex}
OF_TEXT = {"leaf-00": lambda d: None, "leaf-plain": bytes, "leaf-00-digest": sha_00, "leaf-hex": sha_hex}
ORDER = {"jcs": lambda m: m[0].encode("utf-16-be"), "sorted-ascii": lambda m: m[0], "as-sent": lambda m: 0}
place = dict(scheme=str, basis=str, index=int, size=int, leaf=str, path=list)
row = dict(number=int, rows=int, id=str, text_sha256=str, dimensions=int, bytes=str, sha256=str, path=list, root=str)
chunk = dict(row_start=int, row_end=int, selected_for_verification=bool, bytes=str, commitment=str, coding=str, basis=str)
platform = dict(job_id=str, receipt_id=str, receipt=str, receipt_hash=dict(scheme=str, basis=str), of_row=int, row_in_job=int,
                chunk=chunk, outputs_root=place, inputs_root=place, verification_attestation=place)
def fits(v, form, null=("id", "platform", "receipt_hash", "inputs_root", "verification_attestation")):  # form: a type or {members}
    if type(v) is not dict: return type(v) is form
    return v.keys() == form.keys() and all(v[k] is None and k in null or fits(v[k], form[k]) for k in v)
def load(text, order=lambda m: 0):  # strict JSON, the members of its objects in an order
    members = lambda pairs: need(len(dict(pairs)) == len(pairs)) and dict(sorted(pairs, key=order))
    number = lambda word: int(need(re.fullmatch("0|[1-9][0-9]{0,14}", word))[0])
    value = json.loads(text, object_pairs_hook=members, parse_int=number, parse_float=number, parse_constant=number)
    return need(json.dumps(value, ensure_ascii=False).encode()) and value  # lone surrogates cannot be encoded
def root_of(p, leaf_of, thing):  # where the path from thing's leaf leads
    (leaf, node, odd), index, size, path = p["scheme"].split("/"), p["index"], p["size"], [unhex(step) for step in p["path"]]
    made, leaf, node, twice = leaf_of[leaf](thing), unhex(p["leaf"]), NODE[node], ("rfc6962", "duplicate").index(odd)
    while index < size > 1:
        alone, left = index ^ 1 == size, index % 2 == 0
        leaf = leaf if alone and not twice else node(leaf, leaf if alone else path.pop(0)) if left else node(path.pop(0), leaf)
        index, size = index // 2, (size + 1) // 2
    return need(index < size and not path and made in (None, unhex(p["leaf"])) and p["basis"] in ("assumed", "pinned")) and leaf.hex()
def hash_of(receipt, scheme, basis):
    form, field = scheme.split("/") if basis in ("assumed", "pinned") else ()
    own = {**load(receipt, ORDER[form]), "receipt_hash": ""}
    need(field == "empty-receipt_hash" or field == "without-receipt_hash" and own.pop("receipt_hash") == "")
    return sha(json.dumps(own, separators=(",", ":"), ensure_ascii=form == "sorted-ascii").encode()).hex()
def findings(row, p):
    own, text, leaf = unbase64(row["bytes"]), unhex(row["text_sha256"]), sha_00(unhex(row["text_sha256"]) + unhex(row["sha256"])).hex()
    here = dict(row, scheme="leaf-00/node-01/rfc6962", basis="pinned", index=row["number"], size=row["rows"], leaf=leaf)
    yield "row_bytes", len(own) == 4 * row["dimensions"] and sha(own).hex() == row["sha256"]
    yield "row_root " + row["root"], root_of(here, OF_TEXT, None) == row["root"]
    if not p: return
    c, receipt, rows, at = p["chunk"], load(p["receipt"]), unbase64(p["chunk"]["bytes"]), p["row_in_job"] - p["chunk"]["row_start"]
    made, basis = {"sha256": (sha(rows), "implied"), "sha256-twice": (sha(sha(rows)), "assumed")}[c["coding"]]
    same = lambda name, leaf_of, thing: root_of(p[name], leaf_of, thing) == receipt[name]
    yield "receipt_ids", receipt["receipt_id"] == p["receipt_id"] and receipt["job_id"] == p["job_id"]
    if p["receipt_hash"]: yield "receipt_hash", hash_of(p["receipt"], **p["receipt_hash"]) == receipt["receipt_hash"]
    yield "output_commitment", made.hex() == c["commitment"] and c["basis"] in (basis, "pinned")
    yield "row_in_chunk", at >= 0 and rows[at * len(own):][:len(own)] == own and len(rows) == (c["row_end"] - c["row_start"]) * len(own) > 0
    yield "outputs_root", same("outputs_root", OF_CHUNK, made)
    if p["inputs_root"]: yield "inputs_root", p["inputs_root"]["index"] == p["row_in_job"] and same("inputs_root", OF_TEXT, text)
    attested = "verification_attestation"
    if p[attested]: yield attested, c["selected_for_verification"] and same(attested, OF_CHUNK, made)
def check(text):  # (whether all that the proof claims holds, what was checked)
    try:
        proof = load(text if type(text) is str else text.decode())
        need(fits(proof, dict(vembed_row_proof=int, row=row, platform=platform)) and proof["vembed_row_proof"] == 1)
        return True, [need(good and "verified  " + name, name) for name, good in findings(proof["row"], proof["platform"])]
    except Exception as why: return False, [f"not verified: {why}"]
if __name__ == "__main__":
    good, lines = check(open(sys.argv[1], "rb").read())
    print(*lines, "origin not proven: receipts are not signed", sep="\n")
    sys.exit(0 if good else 5)
