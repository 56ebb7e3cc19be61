import { describe, expect, it } from 'vitest'
import { NO_RECORD } from '../mft-parser.js'
import { ChangingTable, DELETED_DIRECTORY, parentOf, ROOT, type TableRecord } from '../testing/changing-table.js'
import { type RecordSpec, usnBytes } from '../testing/usn-bytes.js'
import { type ChangedNode, ChangedNodes } from './changed-nodes.js'
import { Reason } from './usn-layout.js'
import { UsnParser } from './usn-parser.js'
import { UsnRows } from './usn-rows.js'

const ROUNDS = process.env.SOAK === '1' ? 20_000 : 200
const SEED = Number(process.env.SEED ?? 4)

function rowsOf(specs: readonly RecordSpec[]): UsnRows {
  const { bytes } = usnBytes(specs)
  const rows = UsnRows.forPiece(bytes.length)
  const parser = new UsnParser('made')
  parser.parse(bytes, 0, rows)
  expect(rows.count).toBe(specs.length)
  return rows
}

function fold(specs: readonly RecordSpec[]): ChangedNode[] {
  const changed = new ChangedNodes(DELETED_DIRECTORY)
  changed.take(rowsOf(specs))
  expect(changed.count).toBe([...changed.nodes()].length)
  return [...changed.nodes()]
}

const file = { record: 100, sequence: 3, parent: 50, parentSequence: 2, attributes: 0x20, name: 'f' }
const directory = { ...file, record: 200, attributes: 0x10 }
const node = { record: 100, sequence: 3, reasons: 0, hasNewNames: false, isMovedDirectory: false, isGone: false }
const parent = { ...node, record: 50, sequence: 2 }

describe('what records of a change journal mean', () => {
  it('data, times and attributes: the metadata of one node, once', () => {
    expect(
      fold([
        { ...file, reasons: Reason.dataExtend },
        { ...file, reasons: Reason.dataExtend | Reason.basicInfoChange },
        { ...file, reasons: (Reason.dataExtend | Reason.basicInfoChange | Reason.close) >>> 0 },
      ]),
    ).toEqual([{ ...node, reasons: (Reason.dataExtend | Reason.basicInfoChange | Reason.close) >>> 0 }])
  })

  it('names: the node and the directory, whose times change', () => {
    for (const reasons of [Reason.fileCreate, Reason.hardLinkChange])
      expect(fold([{ ...file, reasons }])).toEqual([{ ...node, reasons, hasNewNames: true }, parent])
  })

  it('a move: both directories; that of a directory moves what is below', () => {
    const moved = (spec: RecordSpec) =>
      fold([
        { ...spec, reasons: Reason.renameOldName },
        { ...spec, parent: ROOT, parentSequence: 5, reasons: Reason.renameNewName },
      ])
    const reasons = Reason.renameOldName | Reason.renameNewName
    const root = { ...node, record: ROOT, sequence: 5 }
    expect(moved(file)).toEqual([{ ...node, reasons, hasNewNames: true }, parent, root])
    expect(moved(directory)).toEqual([
      { ...node, record: 200, reasons, hasNewNames: true, isMovedDirectory: true },
      parent,
      root,
    ])
  })

  it('a deletion', () => {
    expect(fold([{ ...file, reasons: Reason.fileDelete }])).toMatchObject([{ isGone: true, hasNewNames: true }, parent])
  })

  it('a deletion of an open file: a move into $Deleted', () => {
    const open = { ...file, parent: DELETED_DIRECTORY, parentSequence: 1 }
    expect(fold([{ ...open, reasons: Reason.renameNewName }])).toMatchObject([
      { isGone: true },
      { record: DELETED_DIRECTORY },
    ])
    const back = { ...file, reasons: Reason.renameNewName }
    expect(fold([{ ...open, reasons: Reason.renameNewName }, back])[0]).toMatchObject({ isGone: false })
    const unknown = new ChangedNodes()
    unknown.take(rowsOf([{ ...open, reasons: Reason.renameNewName }]))
    expect([...unknown.nodes()][0]).toMatchObject({ isGone: false, hasNewNames: true })
  })

  it('a record that is used again: the node before is gone, both are looked at', () => {
    const found = fold([
      { ...file, reasons: Reason.dataExtend },
      { ...file, sequence: 4, reasons: Reason.fileCreate },
    ])
    expect(found).toMatchObject([
      { ...node, reasons: Reason.dataExtend, isGone: true },
      { sequence: 4, isGone: false },
      parent,
    ])
  })

  it('nothing for what a listing does not hold', () => {
    expect(
      fold([
        { ...file, record: 2n ** 40n, parent: 0, reasons: Reason.fileCreate },
        { ...file, record: 9, parent: 11, reasons: Reason.fileCreate },
        { version: 3, ...file, high: 1n, parentHigh: 1n, reasons: Reason.fileCreate },
      ]),
    ).toEqual([])
    expect(fold([{ ...file, record: 1000, parent: NO_RECORD, reasons: Reason.fileCreate }]).length).toBe(1)
  })

  it('nothing after it was cleared', () => {
    const changed = new ChangedNodes()
    changed.take(rowsOf([{ ...file, reasons: Reason.fileCreate }]))
    changed.clear()
    expect(changed.count).toBe(0)
    changed.take(rowsOf([{ ...file, sequence: 2, reasons: Reason.dataExtend }]))
    expect([...changed.nodes()]).toEqual([{ ...node, sequence: 2, reasons: Reason.dataExtend }])
  })
})

/** Nodes by `record-sequence`, as an index would have them. */
class IndexedNodes {
  readonly nodes = new Map<string, TableRecord>()

  constructor(private readonly table: ChangingTable) {}

  /** Takes over one record of the table as it is now. */
  list(record: number): void {
    const now = this.table.records.get(record)!
    if (now.names.length > 0) this.nodes.set(`${record}-${now.sequence}`, { ...now, names: [...now.names] })
  }

  /** What a consumer does with a batch. @param isAllRead the journal says all that is in the table */
  apply(changed: ChangedNodes, isAllRead: boolean): void {
    for (const { record, sequence, hasNewNames, isMovedDirectory } of changed.nodes()) {
      const key = `${record}-${sequence}`
      const before = this.nodes.get(key)
      const now = this.table.records.get(record)!
      if (now.sequence !== sequence || now.names.length === 0) {
        this.nodes.delete(key)
        // What a name was in has changed, too.
        for (const name of before?.names ?? []) this.#refresh(parentOf(name))
        continue
      }
      if (before !== undefined && !hasNewNames) {
        this.nodes.set(key, { ...now, names: before.names })
        continue
      }
      const isOtherPlace = before?.names.join() !== now.names.join()
      // A table that is ahead may show a move before the journal does.
      if (isAllRead && before?.isDirectory && isOtherPlace) expect(isMovedDirectory).toBe(true)
      this.list(record)
      if (isOtherPlace) for (const name of [...(before?.names ?? []), ...now.names]) this.#refresh(parentOf(name))
    }
  }

  /** The times of a directory that is known. */
  #refresh(record: number): void {
    const now = this.table.records.get(record)
    const known = this.nodes.get(`${record}-${now?.sequence}`)
    if (now !== undefined && known !== undefined) known.modified = now.modified
  }
}

describe('following a table that changes', () => {
  it(`equals a fresh reading, ${ROUNDS} times, seed ${SEED}`, { timeout: 900_000 }, () => {
    let state = SEED
    const random = (limit: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * limit)
    }
    let records = 0
    for (let round = 0; round < ROUNDS; round++) {
      const table = new ChangingTable(random)
      for (let i = random(60); i > 0; i--) table.change()
      // The position of the journal, then the table, record by record while it changes.
      table.journal = []
      const index = new IndexedNodes(table)
      for (const record of table.records.keys()) {
        index.list(record)
        if (random(4) === 0) table.change()
      }
      for (let batch = 0; batch < 5; batch++) {
        for (let i = random(20); i > 0; i--) table.change()
        // Some of what was written is read later: the table is ahead of the journal.
        const count = batch === 4 ? table.journal.length : random(table.journal.length + 1)
        const part = table.journal.splice(0, count)
        records += part.length
        const changed = new ChangedNodes(DELETED_DIRECTORY)
        for (let at = 0; at < part.length; ) {
          const step = 1 + random(10)
          changed.take(rowsOf(part.slice(at, at + step)))
          at += step
        }
        index.apply(changed, batch === 4)
        if (batch < 4) continue
        for (const { record, sequence, isGone } of changed.nodes()) {
          const now = table.records.get(record)!
          const isThere = now.sequence === sequence && now.names.some(name => parentOf(name) !== DELETED_DIRECTORY)
          if (isGone) expect(isThere).toBe(false)
        }
      }
      const fresh = new IndexedNodes(table)
      for (const record of table.records.keys()) fresh.list(record)
      const sorted = ({ nodes }: IndexedNodes) => [...nodes].sort(([a], [b]) => (a < b ? -1 : 1))
      expect(sorted(index), `seed ${SEED}, round ${round}`).toEqual(sorted(fresh))
    }
    expect(records).toBeGreaterThan(20 * ROUNDS)
  })
})
