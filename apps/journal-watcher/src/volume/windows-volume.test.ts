import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChangeColumns, type JournalPosition, Op } from '@hotpath/model'
import { Reason } from '@hotpath/ntfs'
import { ChangingImage } from '@hotpath/ntfs/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ImageDriver, OPEN_BY_ID } from '../testing/image-driver.js'
import { type FollowedVolume, followVolume } from './follow-volume.js'
import type { VolumeTree } from './volume-tree.js'

const READ = 0x900bb
const GET_RECORD = 0x90068
const QUERY = 0x900f4
/** Of records with a name of one letter. */
const RECORD_BYTES = 64
const ROOT = { parent: 5, parentSequence: 5 }

let folder: string
let image: ChangingImage
let driver: ImageDriver
/** What was told: `OPERATION name ref`. */
let told: string[]
let losses: string[]
let reached: JournalPosition[]
let batches: number
let trees: VolumeTree[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotpath-windows-'))
  const path = join(folder, 'image')
  writeFileSync(path, '')
  image = new ChangingImage(path, () => 0)
  driver = new ImageDriver(path)
  told = []
  losses = []
  reached = []
  batches = 0
  trees = []
  image.table.records.set(40, { sequence: 1, isDirectory: true, names: ['5/a'], size: 1, modified: 1 })
  image.table.records.set(41, { sequence: 1, isDirectory: false, names: ['40/f'], size: 1, modified: 1 })
  image.append([])
  image.write()
})

afterEach(() => {
  for (const tree of trees) tree.close()
  expect(driver.open).toBe(0)
  rmSync(folder, { recursive: true })
})

function begin(known?: JournalPosition): FollowedVolume | string {
  const followed = followVolume(
    { path: 'W:', excludes: [], known, pace: { leastMs: 1, mostMs: 4 } },
    {
      emit: changes => {
        batches++
        told.push(...linesOf(changes))
      },
      hasRoom: () => true,
      woken: () => {},
      lost: reason => losses.push(reason),
      lastSequence: () => batches,
      reached: (_from, position) => reached.push(position),
    },
    driver.calls,
  )
  if (typeof followed !== 'string') trees.push(followed.tree)
  return followed
}

function follow(known?: JournalPosition): VolumeTree {
  const followed = begin(known)
  if (typeof followed === 'string') throw new Error(followed)
  return followed.tree
}

function linesOf({ op, parentRef, entries }: ChangeColumns): string[] {
  return Array.from(op, (kind, row) => {
    const name = Buffer.from(entries.names.subarray(entries.nameOffsets[row]!, entries.nameOffsets[row + 1]!))
    if (kind === Op.listed) return `listed ${parentRef.low[row]}`
    if (kind === Op.named) return `named ${entries.ref!.low[row]}`
    return `present ${parentRef.low[row]} ${name} ${entries.ref!.low[row]}`
  })
}

/** Has the journal name a node, some times. */
function name(record: number, times = 1, reasons: number = Reason.dataExtend): void {
  const one = { record, sequence: 1, ...ROOT, reasons, attributes: 0x20, name: 'n' }
  image.append(Array.from({ length: times }, () => one))
  image.write()
}

/** Works until nothing is left to do. Returns what was told. */
function work(tree: VolumeTree): string[] {
  told = []
  tree.nextGeneration()
  while (tree.hasWork && losses.length === 0) {
    tree.observe()
    tree.listPending(0)
    tree.flush()
  }
  return told
}

const CHANGED = ['present 5 a 40', 'present 40 f 41', 'named 41']

describe('a volume of Windows', () => {
  it('is followed by what its driver tells', () => {
    const tree = follow()
    expect(work(tree)).toEqual([])
    name(41)
    const lines = work(tree)
    expect(lines.slice(-CHANGED.length)).toEqual(CHANGED)
    expect(work(tree)).toEqual([])
    expect(losses).toEqual([])
  })

  it('goes on where it is known, reply after reply, and says how far it is', async () => {
    const { from } = follow()
    name(41, 5_000)
    const tree = follow(from)
    expect(tree.from).toEqual(from)
    expect(work(tree).slice(-CHANGED.length)).toEqual(CHANGED)
    expect(driver.reads).toBeGreaterThan(5)
    tree.durable(batches)
    await expect.poll(() => reached.length).toBe(1)
    expect(reached[0]).toEqual(follow().from)
    expect(reached[0]!.next).toBe(from.next + 5_000 * RECORD_BYTES)
  })

  it('is open only while it is looked at', () => {
    const tree = follow()
    expect(driver.open).toBe(0)
    let open = 0
    driver.beforeRead = () => {
      open = driver.open
    }
    name(41)
    work(tree)
    expect([open, driver.open]).toEqual([1, 0])
  })

  it('holds up nobody with a long journal', () => {
    const tree = follow()
    work(tree)
    name(41, 100)
    const { DeviceIoControl } = driver.calls
    driver.calls.DeviceIoControl = (handle, code, input, inputBytes, output, outputBytes, ...rest) =>
      // One record for each reply.
      DeviceIoControl(handle, code, input, inputBytes, output, code === READ ? 8 + RECORD_BYTES : outputBytes, ...rest)
    tree.nextGeneration()
    driver.reads = 0
    tree.observe()
    expect(driver.reads).toBe(64)
    expect(work(tree).slice(-CHANGED.length)).toEqual(CHANGED)
    expect(driver.reads).toBeGreaterThan(100)
  })

  const changes: [text: string, change: () => void][] = [
    ['its change journal was given another id', () => image.restamp()],
    ['its change journal was deleted', () => image.delete()],
    ['it has no change journal', () => image.deactivate()],
  ]

  it.each(changes)('is lost when, between a look and a read, %s', (text, change) => {
    const tree = follow()
    work(tree)
    name(41)
    driver.beforeRead = () => {
      driver.beforeRead = () => {}
      change()
      image.write()
    }
    work(tree)
    expect(losses).toEqual([text])
  })

  it('is lost when a call fails for a reason of its own', () => {
    for (const [code, error, text] of [
      [READ, 1117, 'FSCTL_READ_USN_JOURNAL of W: failed: the device has failed (error 1117)'],
      [READ, 87, 'FSCTL_READ_USN_JOURNAL of W: failed: a parameter is wrong (error 87)'],
      [QUERY, 21, 'FSCTL_QUERY_USN_JOURNAL of W: failed: the device is not ready (error 21)'],
    ] as const) {
      losses = []
      driver.errors.clear()
      const tree = follow()
      name(41)
      driver.errors.set(code, error)
      work(tree)
      expect(losses).toEqual([text])
      expect(tree.hasWork).toBe(false)
    }
  })

  it('is not followed where its driver has no journal, or may not be asked', () => {
    driver.errors.set(QUERY, 1179)
    expect(begin()).toBe('it has no change journal')
    driver.errors.set(QUERY, 50)
    expect(begin()).toMatch(/^FSCTL_QUERY_USN_JOURNAL of W: failed: not supported/)
    driver.calls.CreateFileW = () => -1
    driver.calls.GetLastError = () => 5
    expect(begin()).toMatch(/^CreateFileW of W: failed: access denied/)
  })

  describe('whose driver has not written yet what its journal names', () => {
    /** Files of a directory whose index has nodes of its own. */
    const MANY = Array.from({ length: 30 }, (_, i) => 50 + i)
    const file = (...names: string[]) => ({ sequence: 1, isDirectory: false, names, size: 1, modified: 1 })

    function behind(): VolumeTree {
      const tree = follow()
      work(tree)
      driver.holdBack()
      return tree
    }

    it.each([false, true])('is told as the driver has it (with fix-ups: %s)', keepsFixUps => {
      driver.keepsFixUps = keepsFixUps
      image.table.records.set(43, file('40/gone'))
      image.write()
      const tree = behind()
      image.table.records.set(41, file('40/moved', '5/link'))
      image.table.records.set(42, file('40/new'))
      image.table.records.set(43, file())
      for (const record of [41, 42, 43]) name(record)
      expect(work(tree)).toEqual([
        'present 0  5',
        'present 5 a 40',
        'present 40 moved 41',
        'present 5 link 41',
        'named 41',
        'present 40 new 42',
        'named 42',
        'named 43',
      ])
      expect(losses).toEqual([])
    })

    it('gives a directory that came with all that is in it, though its index is not written', () => {
      const tree = behind()
      image.table.records.set(44, { ...file('40/d'), isDirectory: true })
      for (const record of MANY) image.table.records.set(record, file(`44/${record}`))
      name(44, 1, Reason.fileCreate)
      expect(work(tree)).toEqual([
        'present 0  5',
        'present 5 a 40',
        'present 40 d 44',
        'named 44',
        // A name came into it.
        'present 0  5',
        ...MANY.map(record => `present 44 ${record} ${record}`),
        'listed 44',
      ])
      expect(losses).toEqual([])
      expect(driver.open).toBe(0)
    })

    it('is read from the volume where the driver gives no records', () => {
      driver.errors.set(GET_RECORD, 50)
      const tree = behind()
      image.table.records.set(41, file('40/moved'))
      name(41)
      expect(work(tree).slice(-CHANGED.length)).toEqual(CHANGED)
      expect(losses).toEqual([])
    })

    it('is lost when a record cannot be had for another reason', () => {
      const tree = behind()
      name(41)
      driver.errors.set(GET_RECORD, 1117)
      work(tree)
      expect(losses).toEqual(['FSCTL_GET_NTFS_FILE_RECORD of W: failed: the device has failed (error 1117)'])
    })
  })

  it('has a directory that may not be listed read from its index', () => {
    const tree = follow()
    work(tree)
    driver.errors.set(OPEN_BY_ID, 5)
    tree.requestListing(new Uint8Array(0), { low: 40, high: 0, birth: 1 }, 0, false)
    expect(work(tree)).toEqual(['present 0  5', 'present 5 a 40', 'present 40 f 41', 'listed 40'])
    expect(driver.listings).toBe(1)
  })
})
