import { type HotSlot, type HotTable, nameHash, pathRef } from '@hotpath/hot-score'
import { joinPath } from './path-text.js'
import type { SegmentState } from './segment-state.js'
import type { ViewState } from './view-state.js'

/** Names looked at between two looks at the clock: some 50 µs. */
const CHECK_NAMES = 1024

/**
 * Finds the entries of hot records in a segment of a list, whose rows have no refs: the record says what the name hashes to, so
 * the distinct names are hashed in the order of the dictionary (some 60 ns each), and the paths of the few that fit. Goes on
 * where it stopped, so that a query worker can do it between searches.
 */
export class PathRefSearch {
  private readonly wanted = new Map<number, HotSlot[]>()
  private table: 'f' | 'd' | 'done' = 'f'
  private nameId = 0

  constructor(
    readonly view: ViewState,
    readonly segment: SegmentState,
    private readonly hot: HotTable,
    slots: Iterable<HotSlot>,
  ) {
    for (const slot of slots) {
      const { birth } = hot.keyAt(slot)
      const same = this.wanted.get(birth)
      if (same) same.push(slot)
      else this.wanted.set(birth, [slot])
    }
  }

  /** These records are gone. */
  drop(gone: ReadonlySet<HotSlot>): void {
    for (const [hash, slots] of this.wanted)
      this.wanted.set(
        hash,
        slots.filter(slot => !gone.has(slot)),
      )
  }

  /** @returns true when all names have been looked at; false if the time came first (performance.now()) */
  run(untilMs: number): boolean {
    while (this.table !== 'done') {
      if (!this.runTable(this.table, untilMs)) return false
      this.table = this.table === 'f' ? 'd' : 'done'
      this.nameId = 0
    }
    return true
  }

  private runTable(table: 'f' | 'd', untilMs: number): boolean {
    const { reader } = this.segment
    const dictionary = table === 'd' ? reader.dirs : reader.files
    const found: [nameId: number, slots: HotSlot[]][] = []
    let late = false
    dictionary.forEachName(this.nameId, (cursor, id) => {
      if (id % CHECK_NAMES === 0 && id > this.nameId && performance.now() > untilMs) {
        late = true
        this.nameId = id
        return false
      }
      const slots = this.wanted.get(nameHash(cursor.name, 0, cursor.nameLength))
      if (slots !== undefined) found.push([id, slots])
      return true
    })
    for (const [nameId, slots] of found) this.compare(table, nameId, slots)
    return !late
  }

  private compare(table: 'f' | 'd', nameId: number, slots: readonly HotSlot[]): void {
    const { hot, segment, view } = this
    const { reader } = segment
    const dictionary = table === 'd' ? reader.dirs : reader.files
    const name = dictionary.nameAt(nameId)
    dictionary.forEachRow(nameId, row => {
      const entry = table === 'd' ? row : reader.dirCount + row
      const parent = reader.directoryOf(entry)
      const path = joinPath(view.childPrefixOf(parent < 0 ? 0 : reader.dirIdOf(parent)), name)
      const { low, high } = pathRef(path, name)
      for (const slot of slots) {
        const key = hot.keyAt(slot)
        if (key.low === low && key.high === high) segment.opened.add(entry, slot)
      }
    })
  }
}
