import type { ChangeColumns, Kind, NodeRef } from '@hotpath/model'
import type { StatColumns } from '@hotpath/platform'
import { refKey } from '../tree/tree-rules.js'
import { ChangeBuilder } from './change-builder.js'

/** Rows after which a batch is sent, unless the rest of a directory belongs to it. */
export const BATCH_ROWS = 4_096

export interface FollowerStats {
  present: number
  absent: number
  listed: number
  errors: number
}

/** The batch that is being made. Absences wait until everything that is present was told, in this batch and those before it. */
export class ObservationBatch {
  readonly stats: FollowerStats = { present: 0, absent: 0, listed: 0, errors: 0 }
  readonly #builder: ChangeBuilder
  readonly #absent = new Map<string, { parent: NodeRef; name: Uint8Array; observed: number }>()
  /** Directories with rows in it. */
  readonly #parents = new Set<string>()
  /** Nothing is emitted: the tree is being set up, its scan is still to come. */
  muted = false

  /**
   * @param namesOnly rows have no sizes and times
   * @param access rows say who may list directories
   */
  constructor(
    namesOnly: boolean,
    private readonly emit: (changes: ChangeColumns) => void,
    access = false,
  ) {
    this.#builder = new ChangeBuilder(namesOnly, access)
  }

  get isFull(): boolean {
    return this.#builder.count >= BATCH_ROWS
  }

  /** Whether it has rows of what is in this directory (`refKey`). */
  hasRowsOf(directory: string): boolean {
    return this.#parents.has(directory)
  }

  /** What row `row` of `stats` says of a name. */
  present(
    parent: NodeRef,
    name: Uint8Array,
    kind: Kind,
    ref: NodeRef,
    stats: StatColumns,
    row: number,
    observed: number,
  ): void {
    this.#builder.present(parent, name, 0, name.length, kind, ref, stats, row, observed)
    this.#parents.add(refKey(parent))
    this.stats.present++
  }

  /** @param key of the name (`keyOf`) */
  absent(parent: NodeRef, name: Uint8Array, key: string, observed: number): void {
    this.#absent.set(absentKey(parent, key), { parent, name, observed })
  }

  /** A name that was seen absent is there after all: sent behind its row the absence would be the last word. */
  isBack(parent: NodeRef, key: string): void {
    if (this.#absent.size > 0) this.#absent.delete(absentKey(parent, key))
  }

  /** As in ChangeBuilder. */
  listed(directory: NodeRef, observed: number): void {
    this.#builder.listed(directory, observed)
  }

  /** As in ChangeBuilder. */
  listedPart(directory: NodeRef, from: Uint8Array, before: Uint8Array, observed: number): void {
    this.#builder.listedPart(directory, from, before, observed)
  }

  /** Emits the rows so far, without the absences. */
  send(): void {
    if (this.#builder.count === 0) return
    const changes = this.#builder.take()
    this.#parents.clear()
    if (!this.muted) this.emit(changes)
  }

  /** Emits everything. */
  flush(): void {
    for (const { parent, name, observed } of this.#absent.values()) {
      this.#builder.absent(parent, name, observed)
      this.stats.absent++
    }
    this.#absent.clear()
    this.send()
  }

  clear(): void {
    this.#absent.clear()
    this.#builder.take()
    this.#parents.clear()
  }
}

function absentKey(parent: NodeRef, name: string): string {
  return `${refKey(parent)}/${name}`
}
