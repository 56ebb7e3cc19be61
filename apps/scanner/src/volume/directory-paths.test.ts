import { ROOT_NUMBER } from '@hotpath/ntfs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DirectoryPaths } from './directory-paths.js'

const DEEP = 20_000

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const text = (path: Uint8Array) => Buffer.from(path).toString()

describe('paths of directories', () => {
  it('are those of a tree', () => {
    const directory = fc.record({ above: fc.nat(), name: fc.string({ minLength: 1, maxLength: 9 }), asked: fc.nat() })
    fc.assert(
      fc.property(fc.array(directory, { maxLength: 2_000, size: 'max' }), directories => {
        const paths = new DirectoryPaths()
        const expected = ['', '']
        for (const [i, { above, name, asked }] of directories.entries()) {
          const number = ROOT_NUMBER + 1 + i
          const parent = ROOT_NUMBER + (above % (i + 1))
          paths.add(number, parent, bytes(name))
          expected[number] = parent === ROOT_NUMBER ? name : `${expected[parent]}/${name}`
          const any = ROOT_NUMBER + (asked % (i + 2))
          expect(text(paths.of(any))).toBe(expected[any])
        }
      }),
      { numRuns: 50 },
    )
  })

  it('are the same object while they are asked for again', () => {
    const paths = new DirectoryPaths()
    expect(paths.of(ROOT_NUMBER).length).toBe(0)
    paths.add(2, ROOT_NUMBER, bytes('a'))
    const path = paths.of(2)
    paths.add(3, 2, bytes('b'))
    expect(paths.of(2)).toBe(path)
    expect(text(paths.of(3))).toBe('a/b')
    expect(() => paths.add(5, 2, bytes('c'))).toThrow(RangeError)
  })

  it('end where no path of Windows goes on', () => {
    const paths = new DirectoryPaths()
    for (let number = 2; number <= DEEP; number++) paths.add(number, number - 1, bytes('d'))
    expect(paths.of(1_000).length).toBe(2 * 999 - 1)
    expect(paths.of(DEEP).length).toBe(2 * 16_384 - 1)
  })
})
