import { closeSync, openSync, writeSync } from 'node:fs'
import { Attribute, AttributeType } from '../layout.js'
import { SPARSE } from '../run-list.js'
import { PAGE, Settings } from '../usn/usn-layout.js'
import { type ChangingOptions, ChangingTable, DELETED_DIRECTORY, nameOf, parentOf } from './changing-table.js'
import { directoryIndex, type IndexedName } from './directory-index-builder.js'
import {
  fileName,
  nonResident,
  type RecordParts,
  type Reference,
  resident,
  runList,
  standardInformation,
} from './record-builder.js'
import { type RecordSpec, usnBytes } from './usn-bytes.js'
import { buildVolume, EXTEND, ROOT } from './volume-builder.js'

const BYTES = 4_096
const RECORDS = 96
const JOURNAL: Reference = { record: 31, sequence: 3 }
const DELETED: Reference = { record: DELETED_DIRECTORY, sequence: DELETED_DIRECTORY }
/** Clusters for the nodes of each directory's index, behind the table, which begins at 16. */
const INDEX_CLUSTERS = 8
const INDEX_AT = 16 + RECORDS
const JOURNAL_AT = INDEX_AT + RECORDS * INDEX_CLUSTERS
const JOURNAL_CLUSTERS = 512
/** Of 40. */
const LEAST_NODES = 20

interface Journal {
  id: bigint
  lowest: number
  /** Where what is stored begins: a multiple of a page. */
  first: number
  bytes: Uint8Array
}

/**
 * A volume in a file whose master file table, directories and change journal change together, at random: the journal may say later what the
 * table already shows, and it may go through every state that a journal has.
 */
export class ChangingImage {
  readonly table: ChangingTable
  #journal: Journal | undefined
  /** It is being deleted: there is a file, but no records. */
  #isInactive = false
  #nextId = 1n
  /** Zeros behind the last record that belong to the journal. */
  #padding = 0

  /**
   * @param path a file that is there
   * @param random a whole number below the limit
   */
  constructor(
    readonly path: string,
    private readonly random: (limit: number) => number,
    options: ChangingOptions = {},
  ) {
    this.table = new ChangingTable(random, options)
    this.create()
  }

  /** Changes some nodes; there are never only a few of them. */
  change(times: number): void {
    if (times > 0) this.table.fill(LEAST_NODES)
    for (let left = times; left > 0; left--) this.table.change()
  }

  /** Records that are not in the journal yet. */
  get waiting(): number {
    return this.table.journal.length
  }

  /** Writes what happened into the journal, or the first part of it. What is left out is written later. */
  log(most = Number.POSITIVE_INFINITY): void {
    const specs = this.table.journal.splice(0, most)
    const journal = this.#journal
    if (journal === undefined) return
    const end = journal.first + journal.bytes.length
    const added = usnBytes(specs, end).bytes
    journal.bytes = Buffer.concat([journal.bytes, added])
    this.#padding = this.random(3) === 0 ? this.random(2 * PAGE) & ~7 : 0
    const pages = Math.ceil((journal.bytes.length + this.#padding) / PAGE)
    if (pages > JOURNAL_CLUSTERS) this.trim()
  }

  /** A new journal, from position 0 on. */
  create(): void {
    this.#isInactive = false
    this.#journal = { id: this.#nextId++ << 20n, lowest: 0, first: 0, bytes: new Uint8Array(0) }
    this.#padding = 0
  }

  /** Another id; positions go on. */
  restamp(): void {
    const journal = this.#journal
    if (journal === undefined) return
    journal.id = this.#nextId++ << 20n
    journal.lowest = journal.first + journal.bytes.length
  }

  /** Its front is given back, up to the page of its end at most. */
  trim(): void {
    const journal = this.#journal
    if (journal === undefined) return
    const pages = Math.floor(journal.bytes.length / PAGE)
    const gone = pages - this.random(2)
    if (gone <= 0) return
    journal.first += gone * PAGE
    journal.bytes = journal.bytes.slice(gone * PAGE)
  }

  delete(): void {
    this.#journal = undefined
    this.#isInactive = false
  }

  deactivate(): void {
    this.delete()
    this.#isInactive = true
  }

  /** Something in its last page is no record. False: there is nothing to damage. */
  damage(): boolean {
    const bytes = this.#journal?.bytes
    if (bytes === undefined || bytes.length === 0) return false
    // A length that is no multiple of 8.
    bytes[Math.floor((bytes.length - 1) / PAGE) * PAGE]! |= 1
    return true
  }

  get hasJournal(): boolean {
    return this.#journal !== undefined
  }

  /** First position that is stored. */
  get firstUsn(): number {
    return this.#journal?.first ?? 0
  }

  /** Moves the directory that holds most. Returns how many nodes are below it. */
  moveLargest(): { readonly below: number } {
    return { below: this.table.moveLargest() }
  }

  /** Adds records that no change has brought about. */
  append(specs: readonly RecordSpec[]): void {
    this.table.journal.push(...specs)
    this.log()
  }

  /** Brings the file to the state of the table and the journal. */
  write(): void {
    const { bytes } = this.#build()
    const fd = openSync(this.path, 'r+')
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at)
    closeSync(fd)
  }

  #build(): { bytes: Uint8Array } {
    const names = this.#names()
    const records = new Map<number, RecordParts>()
    const nodes: [cluster: number, bytes: Uint8Array][] = []
    const indexOf = ({ record }: Reference): readonly Uint8Array[] => {
      const cluster = INDEX_AT + record * INDEX_CLUSTERS
      const built = directoryIndex(names.get(record) ?? [], cluster)
      if (built.nodes.length > INDEX_CLUSTERS) throw new Error(`directory ${record} has too many names`)
      for (const [i, bytes] of built.nodes.entries()) nodes.push([cluster + i, bytes])
      return built.attributes
    }
    const directory = (self: Reference, parent: Reference, name: string, modified: number): RecordParts => ({
      sequence: self.sequence,
      isDirectory: true,
      attributes: [timesOf(modified), fileName(parent, name), ...indexOf(self)],
    })
    const { records: table } = this.table
    records.set(ROOT.record, directory(ROOT, ROOT, '.', table.get(ROOT.record)!.modified))
    records.set(EXTEND.record, directory(EXTEND, ROOT, '$Extend', 0))
    records.set(DELETED.record, directory(DELETED, EXTEND, '$Deleted', table.get(DELETED.record)!.modified))
    if (this.#journal !== undefined || this.#isInactive) records.set(JOURNAL.record, this.#journalRecord())
    for (const [record, node] of table) {
      if (record === ROOT.record || record === DELETED.record) continue
      const { sequence, isDirectory, modified, size } = node
      const streams = Object.entries(node.streams ?? {}).map(([name, dataBytes]) =>
        nonResident(AttributeType.data, { runs: runList([]), dataBytes, name }),
      )
      const attributes = [timesOf(modified), ...node.names.map(name => fileName(this.#parentOf(name), nameOf(name)))]
      if (node.names.length === 0) records.set(record, { sequence, isUnused: true, attributes })
      else if (isDirectory)
        records.set(record, {
          sequence,
          isDirectory,
          attributes: [...attributes, ...streams, ...indexOf({ record, sequence })],
        })
      else {
        const data = nonResident(AttributeType.data, { runs: runList([]), dataBytes: size })
        records.set(record, { sequence, attributes: [...attributes, data, ...streams] })
      }
    }
    const spareClusters = JOURNAL_AT + JOURNAL_CLUSTERS - INDEX_AT
    const options = { clusterBytes: BYTES, recordBytes: BYTES, records: RECORDS, spareClusters }
    const volume = buildVolume(records, options)
    for (const [cluster, bytes] of nodes) volume.bytes.set(bytes, cluster * BYTES)
    if (this.#journal !== undefined) volume.bytes.set(this.#journal.bytes, JOURNAL_AT * BYTES)
    return volume
  }

  /** What each directory holds. */
  #names(): Map<number, IndexedName[]> {
    const names = new Map<number, IndexedName[]>()
    const add = (self: Reference, parent: Reference, name: string): void => {
      names.set(parent.record, [...(names.get(parent.record) ?? []), { ...self, parent, name }])
    }
    add(DELETED, EXTEND, '$Deleted')
    if (this.#journal !== undefined || this.#isInactive) add(JOURNAL, EXTEND, '$UsnJrnl')
    for (const [record, { sequence, names }] of this.table.records)
      if (record !== ROOT.record && record !== DELETED.record)
        for (const name of names) add({ record, sequence }, this.#parentOf(name), nameOf(name))
    return names
  }

  #parentOf(name: string): Reference {
    const record = parentOf(name)
    return { record, sequence: this.table.records.get(record)!.sequence }
  }

  #journalRecord(): RecordParts {
    const own = [standardInformation(), fileName(EXTEND, '$UsnJrnl')]
    const journal = this.#journal
    if (journal === undefined) return { sequence: JOURNAL.sequence, attributes: own }
    const { first, id, lowest } = journal
    const stored = journal.bytes.length + this.#padding
    const clusters = Math.ceil(stored / BYTES)
    const runs = runList([
      ...(first > 0 ? [{ cluster: SPARSE, clusters: first / BYTES }] : []),
      ...(clusters > 0 ? [{ cluster: JOURNAL_AT, clusters }] : []),
    ])
    const data = nonResident(AttributeType.data, { runs, dataBytes: first + stored, name: '$J' })
    const view = new DataView(data.buffer)
    view.setBigUint64(Attribute.validBytes, BigInt(first + stored), true)
    const settings = new Uint8Array(Settings.bytes)
    const fields = new DataView(settings.buffer)
    fields.setBigUint64(Settings.id, id, true)
    fields.setBigInt64(Settings.lowestValidUsn, BigInt(lowest), true)
    const max = resident(AttributeType.data, settings, '$Max')
    return { sequence: JOURNAL.sequence, attributes: [...own, data, max] }
  }
}

function timesOf(modified: number): Uint8Array {
  // FILETIME: past 1970, so that times are as of today.
  const time = 132_000_000_000_000_000n + BigInt(modified)
  return standardInformation([time, time, time, time], 0x20)
}
