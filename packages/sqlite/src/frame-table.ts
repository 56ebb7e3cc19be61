const FIRST_ENTRIES = 64
/** Which half of 64 bits has the page, so that sorted by their value they are sorted by it. */
const PAGE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0
const FRAME = 1 - PAGE

/** Pages and the frames that have them, collected frame by frame: eight bytes for each. */
export class FrameCollector {
  #entries = new Uint32Array(2 * FIRST_ENTRIES)
  #count = 0

  get count(): number {
    return this.#count
  }

  add(page: number, frame: number): void {
    if (2 * this.#count === this.#entries.length) {
      const larger = new Uint32Array(2 * this.#entries.length)
      larger.set(this.#entries)
      this.#entries = larger
    }
    this.#entries[2 * this.#count + PAGE] = page
    this.#entries[2 * this.#count++ + FRAME] = frame
  }

  /** What was collected: of several frames of a page the last. Nothing can be added afterwards. */
  table(): FrameTable {
    const entries = this.#entries
    new BigUint64Array(entries.buffer, 0, this.#count).sort()
    let kept = 0
    for (let index = 0; index < this.#count; index++) {
      const page = entries[2 * index + PAGE]!
      if (index + 1 < this.#count && entries[2 * (index + 1) + PAGE] === page) continue
      entries[2 * kept + PAGE] = page
      entries[2 * kept++ + FRAME] = entries[2 * index + FRAME]!
    }
    return new FrameTable(entries, kept)
  }
}

/** Which frame has which page, in the order of the pages. */
export class FrameTable {
  readonly #entries: Uint32Array

  constructor(
    entries: Uint32Array,
    readonly count: number,
  ) {
    this.#entries = entries
  }

  /** The frame with `page`, or 0. */
  frameOf(page: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#entries[2 * middle + PAGE]! < page) low = middle + 1
      else high = middle
    }
    return low < this.count && this.#entries[2 * low + PAGE] === page ? this.#entries[2 * low + FRAME]! : 0
  }

  *pages(): Generator<number> {
    for (let index = 0; index < this.count; index++) yield this.#entries[2 * index + PAGE]!
  }
}
