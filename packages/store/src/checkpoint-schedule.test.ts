import { Kind } from '@hotpath/model'
import { FaultFileSystem } from '@hotpath/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { ApplyQueue } from './apply-queue.js'
import { CheckpointSchedule } from './checkpoint-schedule.js'
import { LONG_AGO } from './delta.js'
import { LocalSegmentBackend } from './local-backend.js'
import type { LogFiles } from './log-files.js'
import type { ManifestStore } from './manifest-store.js'
import type { RootState } from './root-state.js'
import { Roots } from './roots.js'
import { View } from './view.js'
import { WriterState } from './writer-state.js'

const PLACE = { volume: 'v', prefix: new Uint8Array(0), virtualRoot: false }

describe('the schedule of checkpoints', () => {
  let steps: string[]
  let failing: string
  let roots: Roots
  let writer: WriterState
  let schedule: CheckpointSchedule

  /** A step that is noted, and may fail. */
  async function step(name: string): Promise<void> {
    steps.push(name)
    if (name === failing) throw new Error(`${name} failed`)
  }

  function addRoot(id: string): RootState {
    roots.add({ id, kind: 'tree', path: `/${id}` }, PLACE)
    const root = roots.get(id)
    root.active = new View({ id: 1, root: id, ...PLACE })
    return root
  }

  function addRows({ active }: RootState, count: number): void {
    for (let i = 0; i < count; i++) {
      const name = Buffer.from(`f${active!.delta.size}`)
      active!.put(1, 0, name, { kind: Kind.file, size: 1 }, LONG_AGO)
    }
  }

  beforeEach(() => {
    steps = []
    failing = ''
    roots = new Roots()
    writer = new WriterState()
    const fs = new FaultFileSystem()
    fs.remove = file => step(`remove ${file}`)
    const logs = { rotate: () => 2, removeBefore: () => step('remove logs') } as unknown as LogFiles
    const manifest = { write: () => step('manifest') } as unknown as ManifestStore
    const options = { directory: '/d', fs, backend: new LocalSegmentBackend(fs), flushRows: 3, maxWalBytes: 100 }
    schedule = new CheckpointSchedule(
      { options, writer, roots, logs, manifest, queue: new ApplyQueue() },
      {
        write: async (_, view, frozen) => {
          await step(`write ${view.root}: ${frozen.rows.length}`)
          return ['old tombstones']
        },
        compact: (_root, _view, _frozen, _limits, all) => step(all ? 'merge all' : 'merge what is due'),
      },
      { setBrokenAside: root => void steps.push(`look at ${root.spec.id}`) },
    )
  })

  it('removes files only behind the manifest that names them no more, and merges last', async () => {
    const root = addRoot('a')
    addRows(root, 2)
    await schedule.flush(root)
    const flush = ['look at a', 'write a: 2', 'manifest', 'remove old tombstones', 'remove logs']
    expect(steps).toEqual([...flush, 'merge what is due'])
    steps = []
    await schedule.compact(root)
    expect(steps).toEqual([...flush, 'merge all'])
  })

  it('flushes at the rows of a delta, once for all batches that come before it runs', async () => {
    const root = addRoot('a')
    addRows(root, 2)
    schedule.noteChange(root, 10)
    await root.idle()
    expect(steps).toEqual([])
    addRows(root, 1)
    schedule.noteChange(root, 10)
    addRows(root, 1)
    schedule.noteChange(root, 10)
    await root.idle()
    expect(steps.filter(name => name.startsWith('write'))).toEqual(['write a: 4'])
    expect(schedule.logBytes).toBe(30)
  })

  it('flushes every root when the log is long, and begins to count anew', async () => {
    const [a, b] = [addRoot('a'), addRoot('b')]
    schedule.noteChange(a, 99)
    schedule.noteChange(b, 1)
    expect(schedule.logBytes).toBe(0)
    await Promise.all([a.idle(), b.idle()])
    expect(steps.filter(name => name.startsWith('write'))).toEqual(['write a: 0', 'write b: 0'])
  })

  it.each(['write a: 1', 'manifest', 'remove old tombstones'])('goes no further when this fails: %s', async name => {
    const root = addRoot('a')
    addRows(root, 1)
    failing = name
    await expect(schedule.flush(root)).rejects.toThrow(`${name} failed`)
    expect(steps.at(-1)).toBe(name)
    expect(writer.failure?.message).toBe(`${name} failed`)
    steps = []
    await schedule.compact(root)
    expect(steps).toEqual([])
    expect([...root.active!.delta.values()].map(({ frozen }) => frozen)).toEqual([false])
  })

  it('does nothing for a root without an active view, and merges nothing while the store closes', async () => {
    const root = addRoot('a')
    const { active } = root
    root.active = undefined
    await schedule.flush(root)
    expect(steps).toEqual([])
    root.active = active
    const flushed = schedule.flush(root)
    await Promise.resolve()
    writer.beginClosing()
    await flushed
    expect(steps.at(-1)).toBe('remove logs')
  })
})
