import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ImageLooks } from './image-looks.js'
import type { RootLife } from './root-life.js'
import { newLife } from './root-state.js'

const OLD = 1_700_000_000
const SCAN_MS = 10_000
/** Nine times as long as a scan takes, and a look more. */
const REST_MS = 9 * SCAN_MS
const LOOK_MS = 5_000

let folder: string
let path: string
let root: { spec: { id: string; kind: 'volume'; path: string }; life: RootLife }
let looks: ImageLooks
let changed: string[]

beforeEach(() => {
  vi.useFakeTimers()
  folder = mkdtempSync(join(tmpdir(), 'hotpath-looks-'))
  path = join(folder, 'image')
  write('one', OLD)
  const life = newLife('volume', {
    followed: true,
    auto: true,
    hasIndex: true,
    trust: 'none',
    scanner: true,
    patient: false,
    wanted: undefined,
  })
  root = { spec: { id: 'r', kind: 'volume', path }, life: { ...life, watch: 'unwatched' } }
  changed = []
  const want = (id: string) => {
    changed.push(id)
    root.life = { ...root.life, wanted: 'catch-up' }
  }
  looks = new ImageLooks({ roots: () => [root], changed: want })
})

afterEach(() => {
  looks.stop()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  rmSync(folder, { recursive: true })
})

function write(text: string, seconds: number): void {
  writeFileSync(path, text)
  utimesSync(path, seconds, seconds)
}

function scan(during = () => {}): void {
  root.life = { ...root.life, wanted: undefined }
  looks.scanStarts(root)
  vi.advanceTimersByTime(SCAN_MS)
  during()
  looks.scanEnded('r')
  looks.update()
}

describe('images of volumes without a journal', () => {
  it('are found to have changed, once they have', () => {
    scan()
    vi.advanceTimersByTime(10 * REST_MS)
    expect(changed).toEqual([])
    write('another', OLD)
    vi.advanceTimersByTime(2 * LOOK_MS)
    expect(changed).toEqual(['r'])
  })

  it('are found to have changed while they were scanned, and not before the scanner has rested', () => {
    scan(() => write('two', OLD + 1))
    vi.advanceTimersByTime(REST_MS - LOOK_MS)
    expect(changed).toEqual([])
    vi.advanceTimersByTime(3 * LOOK_MS)
    expect(changed).toEqual(['r'])
    changed = []
    scan()
    vi.advanceTimersByTime(10 * REST_MS)
    expect(changed).toEqual([])
  })

  it('are taken for changed when they were written just before they were scanned', () => {
    const now = Date.now() / 1_000
    write('two', now)
    scan()
    vi.advanceTimersByTime(REST_MS + 2 * LOOK_MS)
    expect(changed).toEqual(['r'])
  })

  it.each<[string, Partial<RootLife>]>([
    ['a watcher follows them', { watch: 'armed' }],
    ['they are scanned', { work: 'scan' }],
    ['a scan is due', { wanted: 'asked' }],
    ['nothing is read by itself', { auto: false }],
    ['the index cannot be written', { writable: false }],
  ])('are not looked at while %s', (_why, life) => {
    scan()
    Object.assign(root, { life: { ...root.life, ...life } })
    write('another', OLD)
    vi.advanceTimersByTime(10 * REST_MS)
    expect(changed).toEqual([])
  })

  it('that are away are waited for', () => {
    scan()
    renameSync(path, `${path}.away`)
    vi.advanceTimersByTime(2 * REST_MS)
    expect(changed).toEqual([])
    write('another', OLD)
    vi.advanceTimersByTime(2 * LOOK_MS)
    expect(changed).toEqual(['r'])
  })

  it('that are no plain files are left alone', () => {
    Object.assign(root.spec, { path: folder })
    scan()
    writeFileSync(join(folder, 'new'), '')
    vi.advanceTimersByTime(10 * REST_MS)
    expect(changed).toEqual([])
  })
})
