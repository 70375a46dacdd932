// Runs the page's verifier for Go tests: a request on stdin is two lengths
// (4 bytes, big-endian), JSON and bytes; the answer on stdout is a line of JSON.
const requests = {
  async verify({ fingerprint, witnesses }, b) {
    const source = { size: b.length, read: async (at, n) => b.subarray(at, at + n) }
    return verify(source, { fingerprint, witnesses: (witnesses || []).map(parseWitness) }, async () => {})
  },
  sums: async (_, b) => {
    const [one, two] = [sha256er(), sm3er()]
    for (const h of [one, two]) for (let at = 0, n = 1; at < b.length; at += n, n = (n * 3) % 257) h.add(b.subarray(at, at + n))
    return { sha256: hex(one.sum()), sm3: hex(two.sum()), sha512: hex(sha512(b)), crc32: crc32(0, b) }
  },
  signed: async ({ key, message, signature }) => ed25519(unhex(key), unhex(message), unhex(signature)),
  // Is the hash in the tree of that size and root?
  included: async (all) =>
    all.map(({ hashes, index, size, leaf, root }) => {
      const got = rootOf(hashes.map(unhex), index, size, unhex(leaf))
      return got ? hex(got) === root : false
    }),
  forms: async () => ({ manifest: MANIFEST, custody: CUSTODY, kinds: Object.keys(KINDS) }),
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
