import { describe, expect, it } from 'vitest'
import { type FollowedMount, partAt, partsOf, reasonOf, type TreeMechanism } from './mount-parts.js'
import { absolutePath } from './paths.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const text = (path: Uint8Array) => Buffer.from(path).toString()

function mount(path: string, mechanism: TreeMechanism, reason = ''): FollowedMount {
  return { path: bytes(path), mechanism, reason }
}

/** `mechanism: tops`, in order. */
function described(mounts: readonly FollowedMount[]): string[] {
  return partsOf(mounts).map(({ mechanism, tops }) => `${mechanism}: ${tops.map(text).join(' ')}`)
}

describe('the parts of a root', () => {
  it('are one where all mounts are followed by the same mechanism, whatever is mounted where', () => {
    expect(described([mount('', 'fanotify'), mount('a', 'fanotify'), mount('a/b', 'fanotify')])).toEqual(['fanotify: '])
  })

  it('begin at mounts that lie in another part, the worst mechanism first', () => {
    const mounts = [
      mount('', 'fanotify'),
      mount('o', 'inotify'),
      mount('o/inner', 'inotify'),
      mount('o/t', 'fanotify'),
      mount('o/t/n', 'polling'),
      mount('n', 'polling'),
      mount('e', 'fanotify'),
    ]
    expect(described(mounts)).toEqual(['polling: o/t/n n', 'inotify: o', 'fanotify:  o/t'])
  })

  it('do not take a name that begins as another one for what is below it', () => {
    expect(described([mount('', 'fanotify'), mount('o', 'inotify'), mount('ox', 'inotify')])).toEqual([
      'inotify: o ox',
      'fanotify: ',
    ])
  })

  it('hold each path in that of the deepest top above it', () => {
    const parts = partsOf([mount('', 'fanotify'), mount('o', 'inotify'), mount('o/t', 'fanotify')])
    const at = (path: string) => partAt(parts, bytes(path)).mechanism
    expect(['', 'x', 'ox', 'o', 'o/x', 'o/tx', 'o/t', 'o/t/x'].map(at)).toEqual([
      'fanotify',
      'fanotify',
      'fanotify',
      'inotify',
      'inotify',
      'inotify',
      'fanotify',
      'fanotify',
    ])
  })
})

describe('the reason', () => {
  const reason = (mounts: readonly FollowedMount[]) =>
    reasonOf(mounts, path => bytes(text(absolutePath(bytes('/r'), path))))

  it('says which mounts are followed otherwise, and why', () => {
    expect(
      reason([mount('', 'fanotify'), mount('o', 'inotify', 'no handles'), mount('n', 'polling', 'it lies on nfs')]),
    ).toBe('it lies on nfs (/r/n polled); no handles (/r/o by inotify)')
  })

  it('names two mounts and counts the others', () => {
    const mounts = ['a', 'b', 'c', 'd'].map(path => mount(path, 'inotify', 'no handles'))
    expect(reason([mount('', 'fanotify'), ...mounts])).toBe('no handles (/r/a, /r/b and 2 more by inotify)')
  })

  it('is empty where there is nothing to say', () => {
    expect(reason([mount('', 'inotify')])).toBe('')
  })
})
