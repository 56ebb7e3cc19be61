import { Kind } from '@hotpath/model'
import { entryColumns, Random } from '@hotpath/testing'
import { describe, expect, it } from 'vitest'
import { ScanDirectories } from './scan-directories.js'
import { nameHash, Slice } from './slice.js'

const SEED = Number(process.env.SEED ?? 17)

describe('a slice', () => {
  it('finds rows by directory and name, the newest where one replaced another', () => {
    const random = new Random(SEED)
    const slice = new Slice()
    const model = new Map<string, number>()
    for (let i = 0; i < 5000; i++) {
      const parent = 1 + random.below(20)
      const name = `n${random.below(200)}`
      const columns = entryColumns([{ parent, directory: 0, kind: Kind.file, name }])
      const hash = nameHash(parent, columns.names, 0, columns.names.length)
      const same = slice.find(hash, parent, columns.names, 0, columns.names.length)
      expect(same, `SEED=${SEED}`).toBe(model.get(`${parent}/${name}`) ?? -1)
      model.set(`${parent}/${name}`, slice.add(columns, 0, parent, 0, hash, same))
    }
    const filter = slice.filter()
    for (const key of model.keys()) {
      const [parent, name] = key.split('/')
      const bytes = Buffer.from(name!)
      expect(filter.mayHave(nameHash(Number(parent), bytes, 0, bytes.length))).toBe(true)
    }
    let wrong = 0
    for (let i = 0; i < 20_000; i++) {
      const bytes = Buffer.from(`absent ${i}`)
      if (filter.mayHave(nameHash(1, bytes, 0, bytes.length))) wrong++
    }
    expect(wrong).toBeLessThan(20)
  })
})

describe('directories of a scan', () => {
  it('get dense ids, keep names and places, and are found by node', () => {
    const random = new Random(SEED)
    const directories = new ScanDirectories()
    const nodes = new Map<number, number>()
    for (let i = 0; i < 4000; i++) {
      const number = 1 + i * 3
      const id = directories.intern(number)
      expect(id).toBe(i + 1)
      expect(directories.intern(number)).toBe(id)
      const name = Buffer.from(`d${i}`)
      directories.define(id, i, Kind.directory, name, 0, name.length)
      const low = random.below(3500)
      expect(directories.setRef(id, { low, high: 1, birth: 2 }), `SEED=${SEED}`).toBe(nodes.get(low) ?? 0)
      nodes.set(low, id)
    }
    expect(directories.idOf(2)).toBe(0)
    expect(Buffer.from(directories.nameOf(777)).toString()).toBe('d776')
    expect(directories.parentOf(777)).toBe(776)
    expect(directories.unlisted()).toEqual([])
    directories.setListed(5, 100)
    expect(directories.unlisted()).toHaveLength(3999)
    expect(directories.listedAt(5)).toBe(100)
    expect(directories.listedAt(99_999)).toBeNaN()
  })
})
