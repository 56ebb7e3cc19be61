import { readFileSync } from 'node:fs'
import { SegmentReader } from '@hotpath/index-format'
import type { EntryRow } from '@hotpath/model'
import { changeColumns, entryColumns, type PlainChange, ReplicaModel } from '@hotpath/testing'
import { RoaringBitmap32 } from '../bitmap.js'
import { openStore } from '../open-store.js'
import { digestOf, KillHistory, MOST_UNACKNOWLEDGED } from './kill-history.js'
import { partsOf } from './listing-parts.js'
import { ROOT } from './store-driver.js'

/**
 * A process that is killed: opens the store in argv[2], prints what it finds, and goes on with the history of seed argv[3]
 * after step argv[4] for ever, printing the number of each step that is durable. Scans, listings in parts, flushes and
 * merges go on beside it. What the killed process had sent and not heard of is sent again.
 */
const [directory = '', seed, acknowledged] = process.argv.slice(2)
const history = new KillHistory(Number(seed))
while (history.steps < Number(acknowledged)) history.next()
const store = await openStore({ directory, flushRows: 60, maxWalBytes: 20_000, sliceRows: 40 })
await store.addRoot(ROOT, { volume: 'v', prefix: new Uint8Array(0), virtualRoot: false })

/** Steps between two of a kind, without common divisors. */
const EVERY = { listing: 7, scan: 23, merge: 41 }
let scanning = false

async function scan(): Promise<void> {
  scanning = true
  const epoch = await store.beginScan(ROOT.id, { bootId: 'b', startedAt: history.lookTime(1) })
  // Only now: what changed before the scan was open is not kept for it.
  const { rows, directories } = history.scanRows()
  const observed = new Float64Array(directories).fill(history.lookTime(2))
  const directory = Uint32Array.from({ length: directories }, (_, i) => i + 1)
  store.addEntries(epoch, 1, entryColumns(rows), { directory, observed })
  await store.endScan(epoch, { lastSequence: 1 })
  scanning = false
}

// A scan that was cut short is not done again here: what was sent and not heard of would be missing in it.
if (store.rootStatus()[0]?.entries === 0) await scan()
const replica = new ReplicaModel(
  file => new SegmentReader(file, readFileSync(file)),
  bytes => RoaringBitmap32.deserialize(bytes, 'portable'),
)
replica.apply(store.snapshotOps())
const found = new Map<string, EntryRow>([...replica.entries(ROOT.id)].map(([path, { row }]) => [path, row]))
process.stdout.write(`open ${digestOf(found)} ${store.report.damaged.length}\n`)

let listings = 0
async function send(source: string, sequence: number, changes: readonly PlainChange[]): Promise<void> {
  const batch = { root: ROOT.id, source, sequence, bootId: 'b', changes: changeColumns(changes) }
  const { durable } = await store.applyChanges(batch)
  await durable
}

function list(): void {
  const directories = history.tree.directories()
  const directory = directories[history.steps % directories.length]
  let look = 100
  for (const part of partsOf(history.tree, directory, 2)) {
    const observed = history.lookTime(look++)
    const whole = part.map(change => ({ ...change, observed }))
    void send(`lister-${process.pid}`, ++listings, whole)
  }
}

function look(steps: number): void {
  if (steps % EVERY.listing === 0) list()
  if (steps % EVERY.scan === 0 && !scanning) void scan()
  if (steps % EVERY.merge === 0) void store.compact()
}

for (;;) {
  const changes = history.next()
  const { steps } = history
  const durable = send('watcher', steps, changes)
  // What was sent again may be older than what is there: nobody looks at a tree of the past.
  if (steps > Number(acknowledged) + MOST_UNACKNOWLEDGED) look(steps)
  if (steps % MOST_UNACKNOWLEDGED !== 0) continue
  await durable
  process.stdout.write(`${steps}\n`)
}
