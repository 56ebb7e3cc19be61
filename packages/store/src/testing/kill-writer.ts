import { type EntryRow, Kind, type NodeRef, Op } from '@hotpath/model'
import { changeColumns, entryColumns } from '@hotpath/testing'
import { openStore } from '../open-store.js'

/**
 * A process that is killed: opens the store in argv[2], scans an empty root if it must, and creates files `f1`, `f2` … for
 * ever, printing each number when its batch is durable. Flushes and merges go on beside it.
 */
const directory = process.argv[2]
if (directory === undefined) throw new Error('usage: kill-writer DIRECTORY')
const rootRef: NodeRef = { low: 1, high: 0, birth: 7 }
const store = await openStore({ directory, flushRows: 60, maxWalBytes: 20_000 })
await store.addRoot(
  { id: 'root', kind: 'tree', path: '/r' },
  { volume: 'v', prefix: new Uint8Array(0), virtualRoot: false },
)
const [status] = store.rootStatus()
if (status?.scanReason !== '') {
  const epoch = await store.beginScan('root', { bootId: 'b', startedAt: 1 })
  const row: EntryRow = { kind: Kind.directory, size: Number.NaN, ref: rootRef }
  store.addEntries(epoch, 1, entryColumns([{ parent: 0, directory: 1, kind: Kind.directory, name: 'r', row }]), {
    directory: Uint32Array.of(1),
    observed: Float64Array.of(2),
  })
  await store.endScan(epoch, { lastSequence: 1 })
}
const entries = store.rootStatus()[0]?.entries ?? 0
process.stdout.write(`open ${entries - 1}\n`)
const source = `writer-${process.pid}-${entries}`
for (let sequence = 1, number = entries; ; sequence++, number++) {
  const row: EntryRow = { kind: Kind.file, size: number, ref: { low: 100 + number, high: 0, birth: 7 } }
  const changes = changeColumns([
    { op: Op.present, parentRef: rootRef, name: `f${number}`, row, observed: 100 + number },
  ])
  const { durable } = await store.applyChanges({ root: 'root', source, sequence, bootId: 'b', changes })
  if (sequence % 3 === 0) {
    await durable
    process.stdout.write(`${number}\n`)
  }
}
