import { CorruptFileError } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { filesIn, lookUp } from './directory-index.js'
import { INDX_MAGIC, ROOT_RECORD, STRIDE } from './layout.js'
import { drive, type ReadRequest } from './stream.js'
import { readFixture } from './testing/fixture.js'
import { Volume } from './volume.js'

describe.each(['index-512', 'index-65536'])('looking up a name: %s', name => {
  const { read, truth } = readFixture(name)
  const volume = drive(Volume.open(name), read)
  const rows = truth
    .map(line => line.split('\t'))
    .map(([path, , , record, sequence]) => ({ path: path!, record: Number(record), sequence: Number(sequence) }))

  it('finds each file of a directory of many nodes', () => {
    const many = rows.find(({ path }) => path === 'many')!
    expect(drive(lookUp(volume, ROOT_RECORD, 'many'), read)).toEqual({ record: many.record, sequence: many.sequence })
    const files = rows.filter(({ path }) => path.startsWith('many/'))
    expect(files.length).toBe(600)
    for (const { path, record, sequence } of files)
      expect(drive(lookUp(volume, many.record, path.slice('many/'.length)), read)).toEqual({ record, sequence })
  })

  it('finds all files of a directory, each once, unless they are more than wanted', () => {
    const many = rows.find(({ path }) => path === 'many')!
    const files = rows
      .filter(({ path }) => path.startsWith('many/'))
      .map(({ record, sequence }) => ({ record, sequence }))
    const found = drive(filesIn(volume, many.record, 600), read)!
    expect(found.length).toBe(600)
    expect(found).toEqual(expect.arrayContaining(files))
    expect(drive(filesIn(volume, many.record, 599), read)).toBeUndefined()
  })

  it('finds no name that is not there', () => {
    const many = rows.find(({ path }) => path === 'many')!
    for (const absent of ['', 'name', 'name6000', 'MANY', 'many'])
      expect(drive(lookUp(volume, many.record, absent), read)).toBeUndefined()
  })

  it('says where a node is damaged', () => {
    const many = rows.find(({ path }) => path === 'many')!
    const damaged = (change: (node: DataView) => void) => (request: ReadRequest) => {
      const bytes = read(request)
      const view = new DataView(bytes.buffer)
      if (bytes.length >= STRIDE && view.getUint32(0, true) === INDX_MAGIC) change(view)
      return bytes
    }
    const failure = (change: (node: DataView) => void): unknown => {
      try {
        drive(lookUp(volume, many.record, 'absent'), damaged(change))
      } catch (error) {
        return error
      }
      return undefined
    }
    expect(failure(node => node.setUint32(0, 0, true))).toBeInstanceOf(CorruptFileError)
    expect(failure(node => node.setUint16(STRIDE - 2, node.getUint16(STRIDE - 2, true) ^ 1, true))).toMatchObject({
      expected: 'the same word at the end of all sectors',
    })
    expect(failure(node => node.setUint32(16, 77, true))).toMatchObject({ found: '77' })
    expect(failure(node => node.setUint32(28, 0xfffff, true))).toBeInstanceOf(CorruptFileError)
    const entry = (node: DataView): number => 24 + node.getUint32(24, true)
    expect(failure(node => node.setUint16(entry(node) + 8, 0, true))).toBeInstanceOf(CorruptFileError)
    expect(failure(node => node.setUint16(entry(node) + 8, 0xfff8, true))).toMatchObject({
      expected: expect.stringContaining('inside of the node'),
    })
  })

  it('ends where nodes form a ring', () => {
    const many = rows.find(({ path }) => path === 'many')!
    let nodes = 0
    const ring = (request: ReadRequest) => {
      const bytes = read(request)
      const view = new DataView(bytes.buffer)
      if (bytes.length < STRIDE || view.getUint32(0, true) !== INDX_MAGIC) return bytes
      nodes++
      // The first entry of each node points at the node itself.
      const at = 24 + view.getUint32(24, true)
      const length = view.getUint16(at + 8, true)
      view.setUint16(at + 12, view.getUint16(at + 12, true) | 1, true)
      view.setBigUint64(at + length - 8, view.getBigUint64(16, true), true)
      // A key that reaches into the place of the node below would be damage.
      view.setUint16(at + 10, 0, true)
      return bytes
    }
    expect(drive(lookUp(volume, many.record, 'absent'), ring)).toBeUndefined()
    expect(nodes).toBeGreaterThan(10)
  })
})
