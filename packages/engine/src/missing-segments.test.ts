import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SegmentReader } from '@hotpath/index-format'
import type { EngineOp } from '@hotpath/model'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Engine } from './engine.js'
import { MappedSegmentOpener, type OpenSegment } from './segment-opener.js'
import { flatColumns, writeSegment } from './testing/flat-segment.js'
import { ViewState } from './view-state.js'

describe('a segment that cannot be opened', () => {
  let folder: string
  let engine: Engine
  let failure: Error | undefined
  let told: string[]
  let dropped: number[]
  let openFiles: number

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] })
    folder = mkdtempSync(join(tmpdir(), 'hotpath-missing-'))
    failure = undefined
    told = []
    dropped = []
    openFiles = 0
    const opener = new MappedSegmentOpener()
    const open = (file: string): OpenSegment => {
      if (failure) throw failure
      const opened = opener.open(file)
      openFiles++
      return {
        ...opened,
        close: () => {
          openFiles--
          opened.close()
        },
      }
    }
    engine = new Engine(
      { open },
      segment => dropped.push(segment),
      (view, segment, error) => told.push(`${view}/${segment} ${error.message}`),
    )
    engine.apply([
      { op: 'createView', view: 1, root: 'r', volume: 'v', prefix: new Uint8Array(0), virtualRoot: false },
      { op: 'activateView', view: 1, root: 'r', partial: false },
    ])
  })

  afterEach(() => {
    engine.close()
    expect(openFiles).toBe(0)
    rmSync(folder, { recursive: true })
    vi.useRealTimers()
  })

  function segment(id: number, ...names: string[]): EngineOp {
    const file = join(folder, `${id}.seg`)
    writeSegment(flatColumns(names.map(name => Buffer.from(name))), file)
    return { op: 'addSegment', view: 1, segment: id, file, dead: new Uint8Array(0), origin: 'scan' }
  }

  function search(): { total: number; partial: boolean } {
    const sort = { column: 'name', descending: false } as const
    const result = engine.search({ text: 'file:', limit: 10, offset: 0, sort, match: 'name', nowMs: 0 })
    if ('kind' in result) throw new Error(result.message)
    return { total: result.total, partial: result.partial }
  }

  it('is missing from answers until it can be opened, with what was killed meanwhile', () => {
    failure = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })
    engine.apply([segment(1, 'a', 'b', 'c')])
    expect(told).toEqual(['1/1 EMFILE: too many open files'])
    expect(search()).toEqual({ total: 0, partial: true })
    // Row 0 is the directory, so the second file is entry 2.
    engine.apply([{ op: 'kill', view: 1, segment: 1, ranges: Uint32Array.of(2, 3) }])
    vi.advanceTimersByTime(999)
    failure = undefined
    expect(search()).toEqual({ total: 0, partial: true })
    vi.advanceTimersByTime(1)
    expect(search()).toEqual({ total: 2, partial: false })
    expect(told).toHaveLength(1)
    expect(dropped).toEqual([])
  })

  it('stays missing while it fails, and is told each time', () => {
    failure = new Error('out of memory')
    engine.apply([segment(1, 'a'), segment(2, 'b')])
    vi.advanceTimersByTime(1_000)
    expect(search()).toEqual({ total: 0, partial: true })
    expect(search()).toEqual({ total: 0, partial: true })
    expect(told).toHaveLength(4)
  })

  it('does not take others along that fail in another way than by being opened', () => {
    failure = new Error('out of memory')
    engine.apply([segment(1, 'a'), segment(2, 'b')])
    failure = undefined
    vi.advanceTimersByTime(1_000)
    const compare = vi.spyOn(ViewState.prototype, 'directoriesToCompare').mockImplementationOnce(() => {
      throw new Error('cannot be compared')
    })
    expect(search).toThrow('cannot be compared')
    compare.mockRestore()
    expect(search().partial).toBe(true)
    vi.advanceTimersByTime(1_000)
    expect(search()).toEqual({ total: 2, partial: false })
  })

  it('is forgotten when the store drops it, or its view', () => {
    failure = new Error('out of memory')
    engine.apply([segment(1, 'a'), segment(2, 'b')])
    engine.apply([{ op: 'dropSegment', view: 1, segment: 1 }])
    expect(dropped).toEqual([1])
    failure = undefined
    vi.advanceTimersByTime(1_000)
    expect(search()).toEqual({ total: 1, partial: false })
    failure = new Error('out of memory')
    engine.apply([segment(3, 'c')])
    engine.apply([{ op: 'dropView', view: 1 }])
    expect(dropped).toEqual([1, 2, 3])
    vi.advanceTimersByTime(1_000)
    expect(search()).toEqual({ total: 0, partial: false })
  })

  it('keeps its place among the others of its view', () => {
    failure = new Error('out of memory')
    const first = segment(1, 'a')
    engine.apply([first])
    failure = undefined
    engine.apply([segment(2, 'b'), segment(3, 'c')])
    vi.advanceTimersByTime(1_000)
    expect(search()).toEqual({ total: 3, partial: false })
    const views: Map<number, ViewState> = Object.getOwnPropertyDescriptor(engine, 'views')?.value
    expect(views.get(1)?.segments.map(({ id }) => id)).toEqual([1, 2, 3])
  })

  it('that looked damaged comes back, without its dead entries, if the store does not drop it', () => {
    const add = segment(1, 'a', 'b', 'c')
    const file = join(folder, '1.seg')
    const good = readFileSync(file)
    const bad = Buffer.from(good)
    bad[new SegmentReader(file, good).files.names.offset] ^= 1
    writeFileSync(file, bad)
    engine.apply([add, { op: 'kill', view: 1, segment: 1, ranges: Uint32Array.of(1, 2) }])
    expect(search()).toEqual({ total: 0, partial: true })
    expect(told).toHaveLength(1)
    expect(openFiles).toBe(0)
    writeFileSync(file, good)
    vi.advanceTimersByTime(1_000)
    expect(search()).toEqual({ total: 2, partial: false })
  })
})
