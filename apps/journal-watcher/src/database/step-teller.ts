import type { FollowedTable, RowChange, RowChangeMethod } from '@hotpath/model'
import { type BatchEnd, CommitBatch, MAX_BRIEF_BYTES, MAX_BRIEF_ROWS, valueBytes } from './commit-batch.js'
import type { FollowerHost } from './follower-host.js'
import type { PageOverlay } from './page-overlay.js'
import type { Shadow, ToldUpTo } from './shadow.js'

/** A difference between two states, and how it was found. */
export interface Step {
  /** Milliseconds since 1970. */
  readonly committed: number
  readonly method: RowChangeMethod
  readonly merged: boolean
  readonly tables: readonly FollowedTable[]
  /** Consumed once, to its end, before `accept`. */
  changes(): Iterable<RowChange>
  /** Whether steps of an audit are told, whatever the method; known with the first change. */
  isAudited(): boolean
  /** The other state is the known one from here on. */
  accept(): void
}

/**
 * Brings the log of changes and the shadow to the next state. Order: slot, log of changes, pages. Whenever the process is killed, the next finds a state that fits the log. Whatever is thrown
 * leaves them so, and this of no use.
 */
export class StepTeller {
  /** Where consumers are; undefined: the log of changes is not open. */
  told: ToldUpTo | undefined
  /** How what was told was found. */
  readonly methods = new Set<RowChangeMethod>()
  readonly #batch: CommitBatch

  constructor(
    private readonly host: FollowerHost,
    private readonly shadow: Shadow,
    spillFile: string,
  ) {
    this.#batch = new CommitBatch(spillFile)
  }

  /** A page of the known state, as it is stored. */
  page(no: number): Uint8Array {
    return this.#batch.pages?.get(no) ?? this.shadow.page(no)
  }

  /** Accepts a transaction of the log, and tells it at once or with those that come until `tellTaken`. `pages` may be closed afterwards. */
  take(step: Step, pages: PageOverlay, end: BatchEnd): void {
    const all = step.changes()[Symbol.iterator]()
    const { some: first, isAll } = takeSome(all)
    if (isAll && !pages.isSpilled) {
      step.accept()
      this.#batch.add(headOf(step), first, pages, end)
      if (this.#batch.isFull) this.tellTaken()
      return
    }
    this.tellTaken()
    const changes = () => chain(first, all)
    this.tell({ ...step, changes }, pages, end)
  }

  /** Tells what was taken. Does nothing where nothing was. */
  tellTaken(): void {
    const { transactions, pages, end } = this.#batch
    if (end === undefined) return
    this.#batch.clear()
    const append = transactions.length === 0 ? undefined : () => this.host.appendAll(transactions)
    this.#prepare(transactions.length, end, pages, append)
    for (const { transaction } of transactions) this.methods.add(transaction.method)
    this.#write(pages)
  }

  /** Accepts and tells a difference of any length. */
  tell(step: Step, pages: PageOverlay, end: BatchEnd): void {
    const changes = step.changes()[Symbol.iterator]()
    const first = changes.next()
    const isTold = first.done !== true || step.tables.length > 0
    const all = first.done === true ? [] : chain([first.value], changes)
    this.#prepare(isTold ? 1 : 0, end, pages, isTold ? () => this.host.append(headOf(step), all) : undefined)
    if (isTold) this.methods.add(headOf(step).method)
    step.accept()
    this.#write(pages)
  }

  /** @param append so many transactions to the log of changes */
  #prepare(count: number, end: BatchEnd, pages: PageOverlay | undefined, append: (() => number) | undefined): void {
    const { epoch, sequence } = this.told!
    this.shadow.prepare({ epoch, sequence: sequence + count, ...end }, pages)
    if (append === undefined) return
    try {
      this.told = { epoch, sequence: append() }
    } catch (error) {
      this.shadow.withdraw()
      throw error
    }
  }

  #write(pages: PageOverlay | undefined): void {
    for (const no of pages?.numbers() ?? []) this.shadow.write(no, pages!.get(no)!)
  }
}

function headOf(step: Step) {
  const { committed, method, merged, tables } = step
  return { committed, method: step.isAudited() ? 'audit' : method, merged, tables } as const
}

/** The changes of a transaction, or those that fill what may be told together with others. */
function takeSome(changes: Iterator<RowChange>): { readonly some: RowChange[]; readonly isAll: boolean } {
  const some: RowChange[] = []
  let bytes = 0
  while (some.length < MAX_BRIEF_ROWS && bytes < MAX_BRIEF_BYTES) {
    const next = changes.next()
    if (next.done === true) return { some, isAll: true }
    some.push(next.value)
    bytes += valueBytes(next.value)
  }
  return { some, isAll: false }
}

function* chain<T>(first: readonly T[], rest: Iterator<T>): Generator<T> {
  yield* first
  for (let next = rest.next(); next.done !== true; next = rest.next()) yield next.value
}
