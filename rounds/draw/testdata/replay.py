import hashlib, json, sys

def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()

def seed(commitment, source, secret):
    return sha(b"wardwatch/draw/seed/v1\n", commitment, len(source).to_bytes(4, "big"), source, secret)

def pick(seed, label, n, k):  # k of n places, in the order drawn
    places, block = list(range(n)), 0
    for i in range(k):
        left = n - i
        while True:
            x = int.from_bytes(sha(b"wardwatch/draw/stream/v1\n", seed, block.to_bytes(8, "big"), label.encode())[:8], "big")
            block += 1
            if x < 2**64 // left * left: break
        j = i + x % left
        places[i], places[j] = places[j], places[i]
    return places[:k]

def replay(proof):  # of GET /draws/{id}/proof; True when the result is the one that follows
    sealed = [s["sealed"] for s in json.load(open(proof))["steps"][:2]]
    c, r = (json.loads(s)["record"] for s in sealed)
    value = bytes.fromhex(r["drand"]["signature"] if "drand" in r else r["coin"]["value"])
    secret = bytes.fromhex(r["secret"])
    s = seed(sha(sealed[0].encode()), value, secret)
    beds = [[d["candidates"][i]["admission"] for i in pick(s, "bed/" + d["ward"], len(d["candidates"]), d["take"])] for d in c["strata"]]
    who = c["inspectors"]
    officers = [who["candidates"][i] for i in pick(s, "inspector", len(who["candidates"]), who["take"])]
    return sha(secret).hex() == c["secret_sha256"] and beds == [d["admissions"] for d in r["beds"]] and officers == r["inspectors"]

# Vectors for our own tests; a proof is replayed when one is given.
if len(sys.argv) > 1:
    sys.exit(0 if replay(sys.argv[1]) else 1)
out = []
for i, (label, n, k) in enumerate([("bed/", 1, 1), ("bed/", 2, 1), ("bed/", 20, 3), ("bed/内一", 20, 3), ("bed/内一", 64, 64), ("bed/外科", 1000, 5),
                                   ("inspector", 5, 2), ("inspector", 3, 3), ("bed/", 7, 0), ("bed/icu", 200, 200), ("bed/", 1 << 20, 4)]):
    c, secret = sha(b"commitment", bytes([i])), sha(b"secret", bytes([i]))
    source = sha(b"source", bytes([i])) + (sha(b"more", bytes([i]))[:16] if i % 2 else b"")
    s = seed(c, source, secret)
    out.append({"commitment": c.hex(), "source": source.hex(), "secret": secret.hex(), "seed": s.hex(), "label": label, "n": n, "k": k, "picked": pick(s, label, n, k)})
json.dump(out, sys.stdout, ensure_ascii=False, indent=1)
print()
