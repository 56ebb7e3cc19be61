import { ROOT_NUMBER } from '@hotpath/ntfs'

/** No path that Windows takes is deeper: 32,767 UTF-16 units, of which every second one is a separator. What is above is left out. */
const MAX_DEPTH = 16_384
const SLASH = 0x2f

/** Paths of directories by their numbers, put together when they are asked for: 8 to 16 bytes and a name or two each. */
export class DirectoryPaths {
  #parents = new Uint32Array(1_024)
  /** Where the name of each ends in `names`; it begins where that of the number before does. */
  #ends = new Uint32Array(1_024)
  #names = new Uint8Array(16 * 1_024)
  #count = ROOT_NUMBER
  #last = ROOT_NUMBER
  #path = new Uint8Array(0)

  /** Adds a directory; numbers rise by one from that of the root, which is there. */
  add(directory: number, parent: number, name: Uint8Array): void {
    if (directory !== this.#count + 1) throw new RangeError(`directory ${directory} after ${this.#count}`)
    if (directory === this.#parents.length) {
      this.#parents = enlarged(this.#parents, new Uint32Array(2 * directory))
      this.#ends = enlarged(this.#ends, new Uint32Array(2 * directory))
    }
    const start = this.#ends[this.#count]!
    const end = start + name.length
    if (end > this.#names.length) this.#names = enlarged(this.#names, new Uint8Array(2 * end))
    this.#names.set(name, start)
    this.#parents[directory] = parent
    this.#ends[directory] = end
    this.#count = directory
  }

  /** Path from the root on, without a slash at its ends; the same object while the same directory is asked for. */
  of(directory: number): Uint8Array {
    if (directory === this.#last) return this.#path
    let length = -1
    let depth = 0
    for (let at = directory; at !== ROOT_NUMBER && depth < MAX_DEPTH; at = this.#parents[at]!, depth++)
      length += 1 + this.#ends[at]! - this.#ends[at - 1]!
    const path = new Uint8Array(Math.max(0, length))
    for (let at = directory, end = length; depth > 0; at = this.#parents[at]!, depth--) {
      const name = this.#names.subarray(this.#ends[at - 1], this.#ends[at])
      path.set(name, end - name.length)
      end -= name.length + 1
      if (end >= 0) path[end] = SLASH
    }
    this.#last = directory
    this.#path = path
    return path
  }
}

function enlarged<T extends Uint8Array | Uint32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
