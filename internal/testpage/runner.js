// Runs the page's verifier for Go tests: a request on stdin is two lengths
// (4 bytes, big-endian), JSON and bytes; the answer on stdout is a line of JSON.
const requests = {
  // Files that many of the packages to come have in common: what is hashed and is one of
  // them, byte for byte, is not hashed again, and no signature is checked twice.
  async known(_, b) {
    const { entries } = await walk({ size: b.length, read: async (at, n) => b.subarray(at, at + n) })
    entries.forEach((e) => remember(b.slice(e.start, e.end)))
    return {}
  },
  async verify({ fingerprint, witnesses }, b) {
    const source = { size: b.length, read: async (at, n) => b.subarray(at, at + n) }
    return verify(source, { fingerprint, witnesses: (witnesses || []).map(parseWitness) }, async () => {})
  },
  sums: async (_, b) => {
    const [one, two] = [sha256er(), sm3er()]
    for (const h of [one, two]) for (let at = 0, n = 1; at < b.length; at += n, n = (n * 3) % 257) h.add(b.subarray(at, at + n))
    return { sha256: hex(one.sum()), sm3: hex(two.sum()), sha512: hex(sha512(b)), crc32: crc32(0, b) }
  },
  stamp: async (_, b) => ({ certificate: openStamp(b).certificate }),
  signed: async ({ key, message, signature }) => ed25519(unhex(key), unhex(message), unhex(signature)),
  // What the page's hashing and rootOf say of trees of the leaves "NAME 0", "NAME 1"…
  trees: async (all) =>
    all.map(({ name, size, included, grown }) => {
      const leaves = Array.from({ length: size }, (_, i) => leafHash(utf8(`${name} ${i}`)))
      const root = treeHash(leaves)
      return {
        root: hex(root),
        included: included.map(({ index, size, leaf, proof }) => {
          const got = rootOf(proof.map(unhex), index, size, leafHash(utf8(`${name} ${leaf}`)))
          return !!got && same(got, root)
        }),
        grown: grown.map(({ from, proof }) => consistent(from, size, treeHash(leaves.slice(0, from)), root, proof.map(unhex))),
      }
    }),
  forms: async () => ({ manifest: MANIFEST, custody: CUSTODY, kinds: Object.keys(KINDS) }),
}

const files = new Map() // of length: { bytes, sums by block function, crc }
function remember(bytes) {
  const crc = crc32(0, bytes)
  const sums = new Map([block256, blockSM3].map((block) => {
    const h = hasher(block === block256 ? H256 : HSM3, block)
    h.add(bytes)
    return [block, h.sum()]
  }))
  files.set(bytes.length, [...(files.get(bytes.length) || []), { bytes, sums, crc }])
}

const found = (b) => (files.get(b.length) || []).find((f) => Buffer.compare(f.bytes, b) === 0)

const [hashed, crced] = [hasher, crc32]
hasher = (start, block) => {
  const parts = []
  return {
    add: (b) => parts.push(b.slice()),
    sum() {
      const f = parts.length === 1 && found(parts[0])
      if (f) return f.sums.get(block).slice()
      const h = hashed(start, block)
      parts.forEach(h.add)
      return h.sum()
    },
  }
}
crc32 = (crc, b) => {
  const f = crc === 0 && found(b)
  return f ? f.crc : crced(crc, b)
}
const once = (f, keyOf) => {
  const known = new Map()
  return (...args) => {
    const key = keyOf(...args)
    if (!known.has(key)) known.set(key, f(...args))
    return known.get(key)
  }
}
ed25519 = once(ed25519, (...args) => args.map(hex).join(' '))
ecdsa = once(ecdsa, (curve, ...args) => [curve.p, ...args.map(hex)].join(' '))

// The page meets no tree that grew: these two are of the page's nodeHash and split.
const treeHash = (leaves) => (leaves.length === 1 ? leaves[0] : nodeHash(treeHash(leaves.slice(0, split(leaves.length))), treeHash(leaves.slice(split(leaves.length)))))

/** consistent is RFC 6962, 2.1.2, read backwards: both roots from one proof. */
function consistent(m, n, old, now, proof) {
  const walk = (m, n, whole) => {
    if (m === n) {
      if (whole) return [old, old]
      const h = proof.shift()
      return h ? [h, h] : undefined
    }
    const k = split(n)
    const inner = m <= k ? walk(m, k, whole) : walk(m - k, n - k, false)
    const beside = proof.shift()
    if (!inner || !beside) return undefined
    return m <= k ? [inner[0], nodeHash(inner[1], beside)] : [nodeHash(beside, inner[0]), nodeHash(beside, inner[1])]
  }
  const got = walk(m, n, true)
  return !!got && proof.length === 0 && same(got[0], old) && same(got[1], now)
}

async function main() {
  let held = Buffer.alloc(0)
  for await (const piece of process.stdin) {
    held = held.length > 0 ? Buffer.concat([held, piece]) : piece
    for (;;) {
      if (held.length < 8) break
      const [n, m] = [held.readUInt32BE(0), held.readUInt32BE(4)]
      if (held.length < 8 + n + m) break
      const { what, args } = JSON.parse(held.subarray(8, 8 + n).toString())
      const b = new Uint8Array(held.subarray(8 + n, 8 + n + m))
      held = held.subarray(8 + n + m)
      const answer = await requests[what](args || {}, b).catch((e) => ({ thrown: String(e.stack) }))
      process.stdout.write(JSON.stringify(answer) + '\n')
    }
  }
}
main()
