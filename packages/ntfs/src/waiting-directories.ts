import { MftRows } from './mft-rows.js'

const CHUNK_ROWS = 4_096
const CHUNK_NAME_BYTES = 128 * 1024

/** A directory whose own directory has not been seen yet. */
export interface WaitingDirectory {
  readonly rows: MftRows
  readonly row: number
  /** It is in itself, by way of others: such a ring hangs nowhere. */
  readonly isInRing: boolean
}

type Waiting = Pick<WaitingDirectory, 'rows' | 'row'>

/** Directories that wait: about 175 bytes each, some more while they are put in order. */
export class WaitingDirectories {
  readonly #chunks: MftRows[] = []
  readonly #waiting: Waiting[] = []

  add(rows: MftRows, row: number): void {
    let chunk = this.#chunks.at(-1)
    if (chunk === undefined || !chunk.add(rows, row)) {
      chunk = new MftRows(CHUNK_ROWS, CHUNK_NAME_BYTES, 0)
      this.#chunks.push(chunk)
      chunk.add(rows, row)
    }
    this.#waiting.push({ rows: chunk, row: chunk.count - 1 })
  }

  /** All of them, each after the one that it is in, if that waits, too. */
  *inOrder(): Generator<WaitingDirectory> {
    const children = new Map<number, Waiting[]>()
    const left = new Map<number, Waiting>()
    for (const waiting of this.#waiting) {
      const { rows, row } = waiting
      const parent = keyOf(rows.parent[row]!, rows.parentSequence[row]!)
      left.set(keyOf(rows.record[row]!, rows.sequence[row]!), waiting)
      const siblings = children.get(parent)
      if (siblings === undefined) children.set(parent, [waiting])
      else siblings.push(waiting)
    }
    const isTop = ({ rows, row }: Waiting) => !left.has(keyOf(rows.parent[row]!, rows.parentSequence[row]!))
    const tops = this.#waiting.filter(isTop)
    for (const top of tops) yield* below(top, false, left, children)
    // What is left hangs on rings: each is opened at one of its directories.
    for (const [, waiting] of left) yield* below(inRing(waiting, left), true, left, children)
  }
}

/** Of the ring that a directory hangs on, the directory with the lowest record number: the same in whatever order they were taken. */
function inRing(waiting: Waiting, left: ReadonlyMap<number, Waiting>): Waiting {
  const above = ({ rows, row }: Waiting) => left.get(keyOf(rows.parent[row]!, rows.parentSequence[row]!))!
  const recordOf = ({ rows, row }: Waiting) => rows.record[row]!
  const seen = new Set<Waiting>()
  let at = waiting
  for (; !seen.has(at); at = above(at)) seen.add(at)
  let lowest = at
  for (let next = above(at); next !== at; next = above(next)) if (recordOf(next) < recordOf(lowest)) lowest = next
  return lowest
}

/** A directory and all that wait below it. */
function* below(
  top: Waiting,
  isInRing: boolean,
  left: Map<number, Waiting>,
  children: ReadonlyMap<number, readonly Waiting[]>,
): Generator<WaitingDirectory> {
  const stack = [top]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { rows, row } = next
    const key = keyOf(rows.record[row]!, rows.sequence[row]!)
    if (!left.delete(key)) continue
    yield { rows, row, isInRing: isInRing && next === top }
    for (const child of children.get(key) ?? []) stack.push(child)
  }
}

function keyOf(record: number, sequence: number): number {
  return record * 2 ** 16 + sequence
}
