import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { replaceFileSync } from '@hotpath/platform'
import { PageOverlay, readWhole, writeWhole } from './page-overlay.js'
import { type FoundSlot, type SavedState, ShadowSlot } from './shadow-slot.js'

/** Of frozen pages: several snapshots may be read at a time. */
const FROZEN_BYTES = 16 * 1024 * 1024

/** The pages of a shadow as they were at one moment, however it goes on. */
export interface FrozenPages {
  page(no: number): Uint8Array
  close(): void
}

/** Where consumers of the log of changes are, for who decides which state a shadow has. */
export interface ToldUpTo {
  readonly epoch: string
  readonly sequence: number
}

/**
 * The pages of a database as they were when changes were last told, at their own places in a file, as they are stored in the database. A step to another state is in a slot before it is told, and in the pages afterwards: killed at any moment, the process finds
 * in the log whether it was told. Nothing is promised after a loss of power; then there is no shadow.
 */
export class Shadow {
  pageSize = 0
  readonly #pages: number
  readonly #slots: readonly [ShadowSlot, ShadowSlot]
  readonly #frozen = new Set<PageOverlay>()
  #step = 0
  #nextFrozen = 0

  /** @param boot id of the boot of the machine */
  constructor(
    private readonly directory: string,
    private readonly boot: string,
  ) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    this.#pages = openSync(join(directory, 'pages'), constants.O_RDWR | constants.O_CREAT, 0o600)
    this.#slots = [new ShadowSlot(join(directory, 'slot-0')), new ShadowSlot(join(directory, 'slot-1'))]
    if (!this.#isTrusted()) this.clear()
    this.#mark(false)
  }

  /** The state that was told last, if there is one. It is in the pages afterwards. */
  recover(told: ToldUpTo): SavedState | undefined {
    const usable = this.#slots
      .map(slot => slot.read())
      .filter((found): found is FoundSlot => found !== undefined)
      .filter(({ state }) => state.epoch === told.epoch && state.sequence <= told.sequence)
      .sort((a, b) => b.step - a.step)
    const [last] = usable
    if (last === undefined) return undefined
    this.pageSize = last.pageSize
    last.eachPage((no, bytes) => this.#write(no, bytes))
    this.#step = last.step
    return last.state
  }

  /** Whether nothing was ever taken over. */
  get isEmpty(): boolean {
    return this.#slots.every(slot => slot.isEmpty)
  }

  /** Forgets everything; pages can then be written before the first step. */
  clear(): void {
    for (const slot of this.#slots) slot.clear()
    ftruncateSync(this.#pages, 0)
    for (const frozen of this.#frozen) frozen.close()
    this.#frozen.clear()
  }

  /** Pages that were never written read as zeros. */
  page(no: number): Uint8Array {
    const bytes = new Uint8Array(this.pageSize)
    readWhole(this.#pages, bytes, (no - 1) * this.pageSize)
    return bytes
  }

  /** Many at once, into a buffer; what was never written reads as zeros. */
  readRange(firstPage: number, target: Uint8Array): void {
    readWhole(this.#pages, target, (firstPage - 1) * this.pageSize)
  }

  /** A page of a step that was told, or of the first load. */
  write(no: number, bytes: Uint8Array): void {
    if (this.#frozen.size > 0) {
      const before = this.page(no)
      for (const frozen of this.#frozen) if (!frozen.has(no)) frozen.set(no, before)
    }
    this.#write(no, bytes)
  }

  /** Before a step is told: all that it needs to be done again. */
  prepare(state: SavedState, pages: PageOverlay | undefined): void {
    this.#step++
    this.#slots[this.#step % 2 === 0 ? 0 : 1].write(this.#step, state, this.pageSize, pages)
  }

  /** After a step could not be told: its slot is the next to be written. */
  withdraw(): void {
    this.#step--
  }

  /** The pages as they are now. Reading them throws after `clear`. */
  freeze(): FrozenPages {
    const kept = new PageOverlay(this.pageSize, join(this.directory, `frozen-${this.#nextFrozen++}`), FROZEN_BYTES)
    this.#frozen.add(kept)
    return {
      page: no => kept.get(no) ?? this.page(no),
      close: () => {
        this.#frozen.delete(kept)
        kept.close()
      },
    }
  }

  /** Puts everything on the disk, and says so. */
  close(): void {
    for (const frozen of this.#frozen) frozen.close()
    this.#frozen.clear()
    fsyncSync(this.#pages)
    for (const slot of this.#slots) slot.sync()
    this.#mark(true)
    closeSync(this.#pages)
    for (const slot of this.#slots) slot.close()
  }

  #write(no: number, bytes: Uint8Array): void {
    writeWhole(this.#pages, bytes, (no - 1) * this.pageSize)
  }

  /** Whether nothing can have been lost since it was written. */
  #isTrusted(): boolean {
    try {
      const mark = JSON.parse(readFileSync(join(this.directory, 'mark.json'), 'utf8')) as Record<string, unknown>
      return mark.closed === true || mark.boot === this.boot
    } catch {
      return false
    }
  }

  #mark(closed: boolean): void {
    const path = join(this.directory, 'mark.json')
    writeFileSync(`${path}.new`, JSON.stringify({ boot: this.boot, closed }), { mode: 0o600, flush: true })
    replaceFileSync(`${path}.new`, path)
  }
}
