import { MAX_ROW_BYTES } from './bad-row.js'

const SLASH = 0x2f
const BACKSLASH = 0x5c
const DOT = 0x2e
const COLON = 0x3a

/**
 * A path as a list writes it, brought into the form that `PathTree` takes: bytes[from … to) with `/` between components. One
 * object is used again for every row.
 */
export class WrittenPath {
  bytes: Uint8Array = new Uint8Array(0)
  from = 0
  to = 0
  /** It ends in a separator, so it names a directory. */
  directory = false

  private readonly own = new Uint8Array(MAX_ROW_BYTES + 2)

  /**
   * Takes a path of at most MAX_ROW_BYTES + 2. `\` becomes `/` if the path starts with a drive or with `\\`, whose two
   * backslashes then belong to the first component. Separators at the end and `./` at the start go. False if nothing is
   * left, but for the directory `/`, which is the empty path.
   */
  take(bytes: Uint8Array, from: number, to: number): boolean {
    this.bytes = bytes
    this.from = from
    this.to = to
    this.directory = false
    if (isDrivePath(bytes, from, to)) this.separate(from)
    else if (to - from > 2 && bytes[from] === BACKSLASH && bytes[from + 1] === BACKSLASH) this.separate(from + 2)
    const current = this.bytes
    let start = this.from
    let end = this.to
    const absolute = start < end && current[start] === SLASH
    while (start + 1 < end && current[start] === DOT && current[start + 1] === SLASH) {
      start += 2
      while (start < end && current[start] === SLASH) start++
      this.directory = start === end
    }
    while (end > start && current[end - 1] === SLASH) {
      end--
      this.directory = true
    }
    this.from = start
    this.to = end
    return end > start || absolute
  }

  /** Leaves out the components `.` and those that are empty (the first excepted). False if nothing is left. */
  simplify(): boolean {
    const { bytes, from, to, own } = this
    const absolute = from === to || bytes[from] === SLASH
    let length = 0
    let isFirst = !absolute
    let component = from
    for (let i = from; i <= to; i++) {
      if (i < to && bytes[i] !== SLASH) continue
      const isDot = i - component === 1 && bytes[component] === DOT
      if (i > component && !isDot) {
        if (!isFirst) own[length++] = SLASH
        isFirst = false
        own.set(bytes.subarray(component, i), length)
        length += i - component
      }
      if (i === to && isDot) this.directory = true
      component = i + 1
    }
    this.bytes = own
    this.from = 0
    this.to = length
    return length > 0 || absolute
  }

  /** Copies the path with every backslash from `start` on as a slash; the list's own bytes are not ours to change. */
  private separate(start: number): void {
    const { bytes, from, to, own } = this
    for (let i = from, at = 0; i < to; i++, at++) own[at] = bytes[i] === BACKSLASH && i >= start ? SLASH : bytes[i]!
    this.bytes = own
    this.from = 0
    this.to = to - from
  }
}

/** A letter, a colon, and then a separator or nothing. */
function isDrivePath(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from < 2 || bytes[from + 1] !== COLON) return false
  const letter = bytes[from]! | 0x20
  if (letter < 0x61 || letter > 0x7a) return false
  return to - from === 2 || bytes[from + 2] === BACKSLASH || bytes[from + 2] === SLASH
}
