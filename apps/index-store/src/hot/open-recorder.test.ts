import { DEFAULT_SCORING, HotTable, pathRef, volumeKey } from '@hotpath/hot-score'
import { ID_BYTES, InvalidInputError, type NodeRef } from '@hotpath/model'
import { type OpenBatch, openBatch } from '@hotpath/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { HitIds, nodeOfHitId } from '../query/hit-id.js'
import type { HotDb } from './hot-db.js'
import { HotKeeper } from './hot-keeper.js'
import { recordOpens } from './open-recorder.js'

const NOW_MS = 1_750_000_000_999
const ref = (low: number): NodeRef => ({ low, high: 0, birth: 7 })
const bytes = (text: string) => new TextEncoder().encode(text)

/** A tree `t` with the nodes 1 and 2 (`/a`), and a list `l` that holds `/a`, too. */
const index = {
  volumes: () => [
    { volume: 't', kind: 'tree' as const },
    { volume: 'l', kind: 'list' as const },
  ],
  hasNode: (volume: string, { low }: NodeRef) => volume === 't' && (low === 1 || low === 2),
  entriesAt: (path: Uint8Array) =>
    Buffer.from(path).toString() === '/a'
      ? [
          { volume: 't', name: bytes('a'), ref: ref(2) },
          { volume: 'l', name: bytes('a'), ref: undefined },
        ]
      : [],
}

let table: HotTable
let keeper: HotKeeper
beforeEach(() => {
  table = new HotTable(DEFAULT_SCORING)
  const db = { write: async () => {}, close: async () => {}, failure: undefined } as unknown as HotDb
  keeper = new HotKeeper({ table, db })
})

async function record(batch: OpenBatch) {
  const reply = recordOpens(batch, index, keeper, NOW_MS)
  await keeper.stop()
  return reply
}

function idOf(volume: string, ref: NodeRef | undefined, path = '/a'): Uint8Array {
  const id = new Uint8Array(ID_BYTES)
  const name = bytes(path.slice(path.lastIndexOf('/') + 1))
  const paths = bytes(path)
  const [start, nameStart, end] = [0, paths.length - name.length, paths.length]
  new HitIds().write(new DataView(id.buffer), 0, { volume, ref, parentRef: undefined, paths, start, nameStart, end })
  return id
}

const find = (volume: string, { low, high, birth }: NodeRef) => table.find(volumeKey(volume), low, high, birth)

describe('recordOpens', () => {
  it('takes the node out of an id, if it is there', async () => {
    expect(nodeOfHitId(idOf('t', ref(1)))).toEqual({ volume: volumeKey('t'), ...ref(1) })
    expect(await record(openBatch({ id: idOf('t', ref(1)) }))).toEqual({ recorded: 1, unknown: 0, dropped: 0 })
    expect(table.useAt(find('t', ref(1)))).toEqual({ runs: 1, opened: 1_750_000_000, heat: 1 })
  })

  it('believes an id of a list', async () => {
    expect(await record(openBatch({ id: idOf('l', undefined, '/x/y') }))).toMatchObject({ recorded: 1 })
    expect(find('l', pathRef(bytes('/x/y'), bytes('y')))).not.toBe(0)
  })

  it('counts an open of a path for every root that has it', async () => {
    expect(await record(openBatch({ path: bytes('/a') }))).toMatchObject({ recorded: 1 })
    expect(find('t', ref(2))).not.toBe(0)
    expect(find('l', pathRef(bytes('/a'), bytes('a')))).not.toBe(0)
    expect(table.size).toBe(2)
  })

  it('says what is not there', async () => {
    expect(await record(openBatch({ path: bytes('/b') }))).toEqual({ recorded: 0, unknown: 1, dropped: 0 })
    expect(await record(openBatch({ id: idOf('t', ref(3)) }))).toMatchObject({ unknown: 1 })
    expect(await record(openBatch({ id: idOf('other', ref(1)) }))).toMatchObject({ unknown: 1 })
    expect(table.size).toBe(0)
  })

  it('takes the time that it is told, but none that is still to come', async () => {
    const ids = Buffer.concat([idOf('t', ref(1)), idOf('t', ref(1)), idOf('t', ref(2))])
    const opened = Float64Array.of(NOW_MS - 5_000, 1_000, NOW_MS + 1e9)
    const reply = await record({ count: 3, ids, pathOffsets: new Uint32Array(4), paths: new Uint8Array(0), opened })
    expect(reply).toMatchObject({ recorded: 3 })
    expect(table.useAt(find('t', ref(1)))).toMatchObject({ runs: 2, opened: 1_749_999_995 })
    expect(table.openedAt(find('t', ref(2)))).toBe(1_750_000_000)
  })

  it('refuses a row that names nothing or two things', () => {
    const both = { ...openBatch({ path: bytes('/a') }), ids: idOf('t', ref(1)) }
    expect(() => recordOpens(both, index, keeper, NOW_MS)).toThrow(InvalidInputError)
    const neither = openBatch({ path: new Uint8Array(0) })
    expect(() => recordOpens(neither, index, keeper, NOW_MS)).toThrow(InvalidInputError)
  })
})
