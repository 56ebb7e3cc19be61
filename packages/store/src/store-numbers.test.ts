import { describe, expect, it } from 'vitest'
import { segmentName, tombstoneName, walName } from './store-files.js'
import { StoreNumbers } from './store-numbers.js'

describe('the numbers of a store', () => {
  it('begin with one in a new store, which gets an id of its own', () => {
    const numbers = StoreNumbers.after(undefined, [])
    expect(numbers.storeId).toMatch(/^[0-9a-f]{32}$/)
    expect(StoreNumbers.after(undefined, []).storeId).not.toBe(numbers.storeId)
    expect([numbers.incarnation, numbers.takeFile(), numbers.takeFile(), numbers.takeView()]).toEqual([1, 1, 2, 1])
  })

  it('go on where the last manifest was, and count openings and manifests', () => {
    const first = StoreNumbers.after(undefined, [])
    first.takeFile()
    first.takeView()
    first.nextManifest()
    const second = StoreNumbers.after({ ...first.nextManifest(), roots: [] }, [])
    expect(second.storeId).toBe(first.storeId)
    expect(second.incarnation).toBe(2)
    expect(second.isViewTaken(1)).toBe(true)
    expect(second.isViewTaken(2)).toBe(false)
    expect(second.nextManifest()).toMatchObject({ generation: 3, incarnation: 2, nextFile: 2, nextView: 2 })
  })

  it.each([segmentName(41), `${segmentName(41)}.tmp`, `${segmentName(41)}.damaged`, tombstoneName(41, 3)])(
    'never meet the segment that %s is of',
    name => {
      expect(StoreNumbers.after(undefined, [walName(99), name, segmentName(7)]).takeFile()).toBe(42)
    },
  )
})
