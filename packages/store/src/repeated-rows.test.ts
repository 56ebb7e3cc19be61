import { type EntryRow, KIND_STUB, Kind, type RootSpec } from '@hotpath/model'
import { entryColumns, FaultFileSystem, type PlainEntry, Random } from '@hotpath/testing'
import { describe, expect, it } from 'vitest'
import { LocalSegmentBackend } from './local-backend.js'
import { Store } from './store.js'
import { newReplica } from './testing/store-driver.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const ROUNDS = process.env.SOAK === '1' ? 3_000 : 150
const LIST: RootSpec = { id: 'list:l', kind: 'list', path: '/l.efu' }
const NOTHING = { directory: new Uint32Array(0), observed: new Float64Array(0) }

/** The rows below a list's virtual root: `file` with its size, a directory, or a stub of one. */
type ListRow = readonly [kind: 'file' | 'directory' | 'stub', name: string, size: number]

/** Scans the rows as a list and returns size by path; that of directories is NaN. */
async function scanned(list: readonly ListRow[], sliceRows: number): Promise<Map<string, number>> {
  const fs = new FaultFileSystem()
  const store = await Store.open({ directory: '/data', fs, backend: new LocalSegmentBackend(fs), sliceRows })
  await store.addRoot(LIST, { volume: 'l', prefix: new Uint8Array(0), virtualRoot: true })
  const epoch = await store.beginScan(LIST.id, { bootId: 'boot-1', startedAt: 1, partial: false })
  const numbers = new Map<string, number>()
  const numberOf = (name: string): number => {
    const number = numbers.get(name) ?? numbers.size + 2
    numbers.set(name, number)
    return number
  }
  const rows = list.map(
    ([kind, name, size]): PlainEntry => ({
      parent: 1,
      directory: kind === 'file' ? 0 : numberOf(name),
      kind: kind === 'file' ? Kind.file : Kind.directory | (kind === 'stub' ? KIND_STUB : 0),
      name,
      row: { size },
    }),
  )
  const root = { parent: 0, directory: 1, kind: Kind.directory | KIND_STUB, name: '' }
  store.addEntries(epoch, 1, entryColumns([root, ...rows]), NOTHING)
  const { entries } = await store.endScan(epoch, { lastSequence: 1 }).then(() => store.rootStatus()[0]!)
  const replica = newReplica(fs, () => {})
  replica.apply(store.snapshotOps())
  const found = replica.entries(LIST.id)
  expect(entries).toBe(found.size)
  const sizeOf = (row: EntryRow) => (row.kind === Kind.directory ? Number.NaN : row.size)
  const sizes = new Map([...found].map(([path, { row }]) => [path, sizeOf(row)]))
  await store.close()
  return sizes
}

describe('rows that a list repeats', () => {
  it('count once when a file comes twice before the directory of its name', async () => {
    const list: ListRow[] = [
      ['file', 'a', 1],
      ['file', 'a', 2],
      ['directory', 'a', 0],
    ]
    expect([...(await scanned(list, 1_000))]).toEqual([['a', Number.NaN]])
  })

  it(`count once in ${ROUNDS} random lists and any slices: a directory wins, else the last`, async () => {
    const random = new Random(SEED)
    for (let round = 0; round < ROUNDS; round++) {
      const directories = new Set<string>()
      const expected = new Map<string, number>()
      const list = Array.from({ length: 1 + random.below(20) }, (_, size): ListRow => {
        const name = random.pick(['a', 'b', 'c', 'd', 'e'])
        const kind = random.pick(['file', 'file', 'directory', 'stub'] as const)
        // A reader of lists sends a directory as entry once, and as stub only before anything else of it.
        if (kind === 'file' || (kind === 'stub' && directories.has(name)) || expected.get(name) === -1) {
          if (expected.get(name) !== -1) expected.set(name, size)
          return ['file', name, size]
        }
        directories.add(name)
        if (kind === 'directory') expected.set(name, -1)
        return [kind, name, size]
      })
      const right = [...expected].map(([name, size]) => [name, size === -1 ? Number.NaN : size])
      const found = await scanned(list, 2 + random.below(20))
      expect(found, `seed ${SEED}, round ${round}: ${JSON.stringify(list)}`).toEqual(
        new Map(right as [string, number][]),
      )
    }
  })
})
