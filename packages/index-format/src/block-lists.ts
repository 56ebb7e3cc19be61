/** Numbers of a list in `heads`: first position plus one (0: empty), next position, end of the slice, its size. */
const FIELDS = 4
const NEXT = 1
const END = 2
const SIZE = 3
/** Bytes of a list's first slice; each further one is twice as large. */
const FIRST_SLICE = 8
const LARGEST_SLICE = 4096
/** Bytes at the end of a slice that say where the next one is. */
const LINK = 4

/**
 * Many ascending lists of numbers that grow side by side, as varints of their differences in one byte array: about
 * 1.7 bytes a number, where arrays that are sorted in the end take 8.
 */
export class BlockLists {
  private heads = new Uint32Array(1024 * FIELDS)
  private bytes = new Uint8Array(1 << 14)
  private used = 0

  /** Makes room for lists 0 … count - 1. */
  ensureLists(count: number): void {
    if (count * FIELDS <= this.heads.length) return
    const larger = new Uint32Array(Math.max(count * FIELDS, this.heads.length * 2))
    larger.set(this.heads)
    this.heads = larger
  }

  /** Adds to a list the number that is `difference` above its last one (above 0 for the first). */
  append(list: number, difference: number): void {
    const { heads } = this
    const head = list * FIELDS
    let at = heads[head + NEXT]
    let rest = difference
    while (rest >= 0x80) {
      if (at === heads[head + END]) at = this.extend(head)
      this.bytes[at++] = rest | 0x80
      rest >>>= 7
    }
    if (at === heads[head + END]) at = this.extend(head)
    this.bytes[at++] = rest
    heads[head + NEXT] = at
  }

  /** Writes the first `count` numbers of a list to `out`. */
  read(list: number, count: number, out: Uint32Array): void {
    const { bytes, heads } = this
    let at = heads[list * FIELDS] - 1
    let size = FIRST_SLICE
    let end = at + size - LINK
    let value = 0
    for (let i = 0; i < count; i++) {
      let difference = 0
      for (let shift = 0; ; shift += 7) {
        if (at === end) {
          at = bytes[end] | (bytes[end + 1] << 8) | (bytes[end + 2] << 16) | (bytes[end + 3] << 24)
          at >>>= 0
          size = Math.min(size * 2, LARGEST_SLICE)
          end = at + size - LINK
        }
        const byte = bytes[at++]
        difference |= (byte & 0x7f) << shift
        if (byte < 0x80) break
      }
      value += difference
      out[i] = value
    }
  }

  /** Gives a list another slice and returns where it starts. */
  private extend(head: number): number {
    const { heads } = this
    const size = heads[head] === 0 ? FIRST_SLICE : Math.min(heads[head + SIZE] * 2, LARGEST_SLICE)
    const at = this.used
    this.used += size
    if (this.used > this.bytes.length) {
      const larger = new Uint8Array(Math.ceil(this.used * 1.5))
      larger.set(this.bytes)
      this.bytes = larger
    }
    if (heads[head] === 0) heads[head] = at + 1
    else {
      const link = heads[head + END]
      this.bytes[link] = at
      this.bytes[link + 1] = at >>> 8
      this.bytes[link + 2] = at >>> 16
      this.bytes[link + 3] = at >>> 24
    }
    heads[head + END] = at + size - LINK
    heads[head + SIZE] = size
    return at
  }
}
