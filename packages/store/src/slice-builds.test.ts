import { entryColumns } from '@hotpath/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ClosedSlice } from './scan-rows.js'
import type { NewSegment, SegmentState } from './segment-state.js'
import { SliceBuilds } from './slice-builds.js'

describe('builds of slices', () => {
  let told: string[]
  let builds: SliceBuilds
  /** Ends the build that runs: with a segment of this name, or an error. */
  let finish: ((result: string | Error) => void)[]
  let installing: () => void

  const slice = (): ClosedSlice => ({ rows: entryColumns([]), suspects: [] })
  const nameOf = (segment: SegmentState): string => segment as unknown as string
  /** Every promise that can go on has gone on. */
  const turn = (): Promise<void> => new Promise(setImmediate)

  beforeEach(() => {
    told = []
    finish = []
    installing = () => {}
    builds = new SliceBuilds({
      buildSegment: rows =>
        new Promise<NewSegment>((resolve, reject) => {
          told.push('build')
          finish.push(result =>
            result instanceof Error ? reject(result) : resolve({ segment: result as unknown as SegmentState, rows }),
          )
        }),
      discardSegment: segment => told.push(`discard ${nameOf(segment)}`),
      install: segment => {
        installing()
        told.push(`install ${nameOf(segment)}`)
      },
      failed: error => {
        told.push(`failed: ${error.message}`)
        builds.fail(error)
      },
    })
  })

  it('run one at a time, in order, and say which slice is in a segment', async () => {
    const first = builds.openBuilt.then(() => told.push('first'))
    builds.push(slice())
    const second = builds.openBuilt.then(() => told.push('second'))
    builds.push(slice())
    await turn()
    expect(told).toEqual(['build'])
    finish[0]!('a')
    await first
    await turn()
    finish[1]!('b')
    await second
    expect(told).toEqual(['build', 'install a', 'first', 'build', 'install b', 'second'])
    await builds.lastBuilt
  })

  it('hold a source back when two slices wait, until the first is built', async () => {
    builds.push(slice())
    let room = false
    await builds.hasRoom()
    builds.push(slice())
    const waited = builds.hasRoom().then(() => {
      room = true
    })
    await turn()
    expect(room).toBe(false)
    finish[0]!('a')
    await waited
    await turn()
    await builds.hasRoom()
    finish[1]!('b')
    await builds.idle()
  })

  it('give the memory of a slice back once', async () => {
    const closed = slice()
    builds.push(closed)
    expect(builds.takeSpare()).toBeUndefined()
    await turn()
    finish[0]!('a')
    await builds.idle()
    expect(builds.takeSpare()).toBe(closed.rows)
    expect(builds.takeSpare()).toBeUndefined()
    // Both of two that were built before another slice was closed.
    const [one, two] = [slice(), slice()]
    for (const next of [one, two]) builds.push(next)
    await turn()
    finish[1]!('b')
    await turn()
    finish[2]!('c')
    await builds.idle()
    expect(builds.takeSpare()).toBe(two.rows)
    expect(builds.takeSpare()).toBe(one.rows)
    expect(builds.takeSpare()).toBeUndefined()
  })

  it.each(['building', 'installing'])('end with the first that fails while %s', async step => {
    const error = new Error(step)
    builds.push(slice())
    builds.push(slice())
    const { openBuilt } = builds
    const first = builds.hasRoom()
    if (step === 'installing') {
      installing = () => {
        throw error
      }
    }
    await turn()
    finish[0]!(step === 'building' ? error : 'a')
    await expect(first).rejects.toBe(error)
    await expect(openBuilt).rejects.toBe(error)
    await builds.idle()
    expect(told).toEqual(['build', `failed: ${step}`])
  })

  it('throw away what was being built when the scan failed', async () => {
    builds.push(slice())
    builds.push(slice())
    await turn()
    builds.fail(new Error('aborted'))
    finish[0]!('a')
    await builds.idle()
    expect(told).toEqual(['build', 'discard a'])
  })
})
