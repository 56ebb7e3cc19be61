import type { MftStats, TablePiece } from '@hotpath/ntfs'

/** Words of the head: the first piece that nobody has taken; the first that is not offered; one more than the piece that is waited for. */
const Head = { next: 0, limit: 1, wanted: 2, words: 3 } as const
/** Words of a slot. `parsed`: one more than the number of the piece that was parsed into it last. */
const Slot = {
  parsed: 0,
  first: 1,
  count: 2,
  rows: 3,
  scattered: 4,
  streams: 5,
  records: 6,
  unused: 7,
  extensions: 8,
  torn: 9,
  damaged: 10,
  words: 11,
} as const
const ENDED = -1
const NONE = 0

/** What was found in a piece. */
export interface PieceCounts {
  readonly rows: number
  readonly scattered: number
  readonly streams: number
  readonly stats: MftStats
}

/**
 * Pieces of a table that several threads parse and one lists, in shared memory: who has done one piece takes the next, and no message is sent but to who
 * waits. Pieces have numbers from 0 on; piece n lies in slot n mod `slots`, which also names the memory for its rows. Every write to that memory comes before `finish`, every reading of it after
 * `isParsed`, so that it needs no locks of its own.
 */
export class PieceQueue {
  readonly #words: Int32Array
  /** Record numbers have 32 bits. */
  readonly #numbers: Uint32Array

  /** @param memory of `memoryFor` as many slots */
  constructor(
    memory: SharedArrayBuffer,
    readonly slots: number,
  ) {
    this.#words = new Int32Array(memory)
    this.#numbers = new Uint32Array(memory)
  }

  static memoryFor(slots: number): SharedArrayBuffer {
    return new SharedArrayBuffer(4 * (Head.words + Slot.words * slots))
  }

  /** By who lists: the next piece, into a slot of which nothing is wanted any more. Returns its number. */
  offer({ first, count }: TablePiece): number {
    const number = Atomics.load(this.#words, Head.limit)
    const slot = this.#slotOf(number)
    this.#numbers[slot + Slot.first] = first
    this.#numbers[slot + Slot.count] = count
    Atomics.store(this.#words, Head.limit, number + 1)
    Atomics.notify(this.#words, Head.limit)
    return number
  }

  isParsed(number: number): boolean {
    return Atomics.load(this.#words, this.#slotOf(number) + Slot.parsed) === number + 1
  }

  /** By who lists: whoever finishes the piece is to be told that somebody waits. False: it is parsed already. */
  want(number: number): boolean {
    Atomics.store(this.#words, Head.wanted, number + 1)
    return !this.isParsed(number)
  }

  /** Of a piece that is parsed. */
  countsOf(number: number): PieceCounts {
    const slot = this.#slotOf(number)
    const at = (word: number): number => this.#numbers[slot + word]!
    return {
      rows: at(Slot.rows),
      scattered: at(Slot.scattered),
      streams: at(Slot.streams),
      stats: {
        records: at(Slot.records),
        unused: at(Slot.unused),
        extensions: at(Slot.extensions),
        torn: at(Slot.torn),
        damaged: at(Slot.damaged),
      },
    }
  }

  /** No piece is taken any more; who waits for one is woken. */
  end(): void {
    Atomics.store(this.#words, Head.limit, ENDED)
    Atomics.notify(this.#words, Head.limit)
  }

  /** Number of a piece that nobody else has; undefined: there is none now. */
  take(): number | undefined {
    for (;;) {
      const number = Atomics.load(this.#words, Head.next)
      if (number >= Atomics.load(this.#words, Head.limit)) return undefined
      if (Atomics.compareExchange(this.#words, Head.next, number, number + 1) === number) return number
    }
  }

  /** `take` of a thread that has nothing else to do: waits until there is a piece. Undefined: it has ended. */
  takeNext(): number | undefined {
    for (;;) {
      const limit = Atomics.load(this.#words, Head.limit)
      if (limit === ENDED) return undefined
      const number = this.take()
      if (number !== undefined) return number
      Atomics.wait(this.#words, Head.limit, limit)
    }
  }

  pieceOf(number: number): TablePiece {
    const slot = this.#slotOf(number)
    return { first: this.#numbers[slot + Slot.first]!, count: this.#numbers[slot + Slot.count]! }
  }

  /** By who has taken a piece: its rows are in the memory of its slot. True: somebody waits for it and has to be told. */
  finish(number: number, { rows, scattered, streams, stats }: PieceCounts): boolean {
    const slot = this.#slotOf(number)
    this.#numbers[slot + Slot.rows] = rows
    this.#numbers[slot + Slot.scattered] = scattered
    this.#numbers[slot + Slot.streams] = streams
    for (const key of ['records', 'unused', 'extensions', 'torn', 'damaged'] as const)
      this.#numbers[slot + Slot[key]] = stats[key]
    Atomics.store(this.#words, slot + Slot.parsed, number + 1)
    return Atomics.compareExchange(this.#words, Head.wanted, number + 1, NONE) === number + 1
  }

  #slotOf(number: number): number {
    return Head.words + Slot.words * (number % this.slots)
  }
}
