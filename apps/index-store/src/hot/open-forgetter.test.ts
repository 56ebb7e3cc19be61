import { type NodeKey, pathRef, volumeKey } from '@hotpath/hot-score'
import { ID_BYTES, InvalidInputError, type NodeRef } from '@hotpath/model'
import { forgetRequest } from '@hotpath/protocol'
import { expect, it } from 'vitest'
import { HitIds } from '../query/hit-id.js'
import { forgetOpens } from './open-forgetter.js'

const bytes = (text: string) => new TextEncoder().encode(text)
const ref: NodeRef = { low: 1, high: 0, birth: 7 }

/** A tree with one node, `/a`, and a list that holds `/a`, too. */
const index = {
  volumes: () => [
    { volume: 't', kind: 'tree' as const },
    { volume: 'l', kind: 'list' as const },
  ],
  hasNode: (volume: string, { low }: NodeRef) => volume === 't' && low === 1,
  entriesAt: (path: Uint8Array) =>
    Buffer.from(path).toString() === '/a'
      ? [
          { volume: 't', name: bytes('a'), ref },
          { volume: 'l', name: bytes('a'), ref: undefined },
        ]
      : [],
}

/** Has a record of each of these nodes. */
function keeperOf(...records: NodeKey[]) {
  const asked: (readonly NodeKey[] | 'all')[] = []
  return {
    asked,
    async forget(keys: readonly NodeKey[] | 'all') {
      asked.push(keys)
      return keys === 'all' ? records.length : keys.filter(key => records.some(one => one.low === key.low)).length
    },
  }
}

function idOf(ref: NodeRef): Uint8Array {
  const id = new Uint8Array(ID_BYTES)
  const place = { parentRef: undefined, paths: bytes('/a'), start: 0, nameStart: 1, end: 2 }
  new HitIds().write(new DataView(id.buffer), 0, { volume: 't', ref, ...place })
  return id
}

const inTree = { volume: volumeKey('t'), ...ref }

it('forgets a node by its id, also one that is gone', async () => {
  const keeper = keeperOf(inTree, { ...inTree, low: 9 })
  expect(await forgetOpens(forgetRequest({ id: idOf(ref) }), index, keeper)).toEqual({ forgotten: 1, known: true })
  const gone = idOf({ ...ref, low: 9 })
  expect(await forgetOpens(forgetRequest({ id: gone }), index, keeper)).toEqual({ forgotten: 1, known: true })
  const neverOpened = keeperOf()
  expect(await forgetOpens(forgetRequest({ id: idOf(ref) }), index, neverOpened)).toEqual({ forgotten: 0, known: true })
  expect(await forgetOpens(forgetRequest({ id: gone }), index, neverOpened)).toEqual({ forgotten: 0, known: false })
})

it('forgets the entries of every root that have a path', async () => {
  const keeper = keeperOf(inTree)
  expect(await forgetOpens(forgetRequest({ path: bytes('/a') }), index, keeper)).toEqual({ forgotten: 1, known: true })
  expect(keeper.asked).toEqual([[inTree, { volume: volumeKey('l'), ...pathRef(bytes('/a'), bytes('a')) }]])
  expect(await forgetOpens(forgetRequest({ path: bytes('/b') }), index, keeper)).toEqual({ forgotten: 0, known: false })
})

it('forgets all', async () => {
  const keeper = keeperOf(inTree)
  expect(await forgetOpens(forgetRequest({ all: true }), index, keeper)).toEqual({ forgotten: 1, known: true })
  expect(keeper.asked).toEqual(['all'])
})

it('refuses what names nothing, two things or half an id', async () => {
  const nothing = { id: new Uint8Array(0), path: new Uint8Array(0), all: false }
  for (const request of [
    nothing,
    { ...nothing, path: bytes('/a'), all: true },
    { ...nothing, id: idOf(ref), path: bytes('/a') },
    { ...nothing, id: idOf(ref).subarray(1) },
  ]) {
    await expect(forgetOpens(request, index, keeperOf())).rejects.toThrow(InvalidInputError)
  }
})
