import { describe, expect, it } from 'vitest'
import { type FollowedMount, partAt, partsOf, reasonOf, toldMounts, type Way } from './mount-parts.js'
import { absolutePath } from './paths.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const text = (path: Uint8Array) => Buffer.from(path).toString()

function mount(path: string, way: Way, reason = ''): FollowedMount {
  return { path: bytes(path), way, reason }
}

/** `way: tops`, in order. */
function described(mounts: readonly FollowedMount[]): string[] {
  return partsOf(mounts).map(({ way, tops }) => `${way}: ${tops.map(text).join(' ')}`)
}

describe('the parts of a root', () => {
  it('are one where all mounts are followed in the same way, whatever is mounted where', () => {
    expect(described([mount('', 'marks'), mount('a', 'marks'), mount('a/b', 'marks')])).toEqual(['marks: '])
  })

  it('begin at mounts that lie in another part, the worst way first', () => {
    const mounts = [
      mount('', 'marks'),
      mount('o', 'inotify'),
      mount('o/inner', 'inotify'),
      mount('o/t', 'marks'),
      mount('o/t/n', 'polling'),
      mount('n', 'polling'),
      mount('e', 'marks'),
    ]
    expect(described(mounts)).toEqual(['polling: o/t/n n', 'inotify: o', 'marks:  o/t'])
  })

  it('do not take a name that begins as another one for what is below it', () => {
    expect(described([mount('', 'marks'), mount('o', 'inotify'), mount('ox', 'inotify')])).toEqual([
      'inotify: o ox',
      'marks: ',
    ])
  })

  it('hold each path in that of the deepest top above it', () => {
    const parts = partsOf([mount('', 'marks'), mount('o', 'inotify'), mount('o/t', 'marks')])
    const at = (path: string) => partAt(parts, bytes(path)).way
    expect(['', 'x', 'ox', 'o', 'o/x', 'o/tx', 'o/t', 'o/t/x'].map(at)).toEqual([
      'marks',
      'marks',
      'marks',
      'inotify',
      'inotify',
      'inotify',
      'marks',
      'marks',
    ])
  })
})

describe('the reason', () => {
  const reason = (mounts: readonly FollowedMount[]) =>
    reasonOf(mounts, path => bytes(text(absolutePath(bytes('/r'), path))))

  it('says which mounts are followed otherwise, and why', () => {
    expect(
      reason([mount('', 'marks'), mount('o', 'inotify', 'no handles'), mount('n', 'polling', 'it lies on nfs')]),
    ).toBe('it lies on nfs (/r/n polled); no handles (/r/o by inotify)')
  })

  it('names two mounts and counts the others', () => {
    const mounts = ['a', 'b', 'c', 'd'].map(path => mount(path, 'inotify', 'no handles'))
    expect(reason([mount('', 'marks'), ...mounts])).toBe('no handles (/r/a, /r/b and 2 more by inotify)')
  })

  it('is empty where there is nothing to say', () => {
    expect(reason([mount('', 'inotify')])).toBe('')
  })
})

describe('what is told of mounts', () => {
  const told = (mounts: readonly FollowedMount[]) =>
    toldMounts(mounts, path => bytes(text(absolutePath(bytes('/r'), path))))?.map(
      ({ path, mechanism, reason }) => `${text(path)} ${mechanism} ${reason}`,
    )

  it('is how each is followed, those of the worst way first', () => {
    expect(told([mount('', 'marks'), mount('p', 'marks-by-place'), mount('n', 'polling', 'it lies on nfs')])).toEqual([
      '/r/n polling it lies on nfs',
      '/r/p fanotify ',
      '/r fanotify ',
    ])
  })

  it('is nothing where there is one, of which there is nothing to say', () => {
    expect(told([mount('', 'inotify')])).toBeUndefined()
    expect(told([mount('', 'inotify', 'no handles')])).toEqual(['/r inotify no handles'])
  })

  it('is no more than a message has room for, the best left out', () => {
    const many = Array.from({ length: 100 }, (_, i) => mount(`m${i}`, i === 99 ? 'polling' : 'marks'))
    const [first, ...rest] = told([mount('', 'marks'), ...many])!
    expect(first).toBe('/r/m99 polling ')
    expect(rest).toHaveLength(63)
  })
})
