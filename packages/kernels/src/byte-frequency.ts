/**
 * Bytes of lower-cased file names from frequent to rare (counted over 487,316 distinct base names of a Debian mirror);
 * what is not listed is rarer than all of these. Only speed depends on it.
 */
const FREQUENT = 'etairo.spnlchdm_gufbx-yvkw21q0364jz5897~+@ #,$&='

const rank = new Uint8Array(256)
for (let i = 0; i < FREQUENT.length; i++) rank[FREQUENT.charCodeAt(i)] = FREQUENT.length - i

/** Positions of the two rarest bytes of a needle (the same one twice if it has only one). */
export function rarestPair(needle: Uint8Array): [number, number] {
  const rankAt = (i: number) => rank[lower(needle[i])]
  let first = 0
  for (let i = 1; i < needle.length; i++) if (rankAt(i) < rankAt(first)) first = i
  let second = first === 0 ? needle.length - 1 : 0
  for (let i = 0; i < needle.length; i++) if (i !== first && rankAt(i) < rankAt(second)) second = i
  return [first, second]
}

/** The distinct bytes of some text, rarest first. */
export function rarestBytes(text: Uint8Array): number[] {
  return [...new Set(text)].sort((a, b) => rank[lower(a)] - rank[lower(b)])
}

/** Capitals are about as frequent as their lower-case forms. */
function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
}
