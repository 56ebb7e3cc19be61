import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChangeColumns, type JournalPosition, MISSING, Op } from '@hotpath/model'
import { type JournalSource, Reason, StoredJournal } from '@hotpath/ntfs'
import { ChangingImage } from '@hotpath/ntfs/testing'
import { ExclusionRules } from '@hotpath/scanner'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { followVolume } from './follow-volume.js'
import { VolumeImage } from './volume-image.js'
import { VolumeTree } from './volume-tree.js'

const ROOT = { record: 5, sequence: 5 }
const EXCLUDED = 'secret'
const EXCLUDED_STREAM = '*:private'

let folder: string
let image: ChangingImage
/** What was told: `present parent name ref`, `named ref`, `listed ref`. */
let told: string[]
let losses: string[]
let reached: [from: number, next: number][]
let looks: number
let hasRoom: boolean
let batches: number
let tree: VolumeTree

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotpath-tree-'))
  const path = join(folder, 'image')
  writeFileSync(path, '')
  image = new ChangingImage(path, () => 0)
  told = []
  losses = []
  reached = []
  looks = 0
  hasRoom = true
  batches = 0
  node(40, true, '5/a')
  node(41, true, '40/b')
  node(42, false, '41/f')
  image.append([])
  image.write()
  tree = follow({ id: '0', next: 0 })
})

afterEach(() => {
  tree.close()
  rmSync(folder, { recursive: true })
})

/** Puts a node into the table; the journal does not say so. */
function node(record: number, isDirectory: boolean, ...names: string[]): void {
  image.table.records.set(record, { sequence: 1, isDirectory, names, size: 1, modified: 1 })
}

/** Has the journal name a node. */
function name(record: number, reasons: number): void {
  const parent = { parent: ROOT.record, parentSequence: ROOT.sequence }
  image.append([{ record, sequence: 1, ...parent, reasons, attributes: 0x20, name: 'n' }])
  image.write()
}

function follow(known: JournalPosition, streams = false): VolumeTree {
  const file = new VolumeImage(image.path)
  const stored = new StoredJournal(image.path, file.read)
  const journal: JournalSource = {
    look: () => {
      looks++
      return stored.look()
    },
    end: () => stored.end(),
    read: (from, rows) => stored.read(from, rows),
  }
  const now = journal.look()
  if (typeof now === 'string') throw new Error(now)
  const rules = new ExclusionRules({
    root: new Uint8Array(Buffer.from(image.path)),
    excludes: [EXCLUDED, EXCLUDED_STREAM],
  })
  return new VolumeTree(
    { image: file, journal, from: { id: now.id, next: known.next }, rules, streams, pace: { leastMs: 1, mostMs: 4 } },
    {
      emit: changes => {
        batches++
        told.push(...linesOf(changes))
      },
      hasRoom: () => hasRoom,
      woken: () => {},
      lost: reason => losses.push(reason),
      lastSequence: () => batches,
      reached: (from, { next }) => reached.push([from, next]),
    },
  )
}

function linesOf({ op, parentRef, entries }: ChangeColumns): string[] {
  return Array.from(op, (kind, row) => {
    const name = Buffer.from(entries.names.subarray(entries.nameOffsets[row]!, entries.nameOffsets[row + 1]!))
    if (kind === Op.listedFrom || kind === Op.listedBefore) return `nothing else in ${parentRef.low[row]}`
    if (kind === Op.listed) return `listed ${parentRef.low[row]}`
    if (kind === Op.named) return `named ${entries.ref!.low[row]}`
    return `present ${parentRef.low[row]} ${name} ${entries.ref!.low[row]}`
  })
}

/** All that is there to do is done. */
function work(): string[] {
  told = []
  tree.nextGeneration()
  while (tree.hasWork && losses.length === 0) {
    tree.observe()
    tree.listPending(0)
    tree.flush()
  }
  return told
}

const ABOVE = ['present 0  5', 'present 5 a 40', 'present 40 b 41']

describe('a volume that is followed', () => {
  it('tells a node with the directories above it, once a batch', () => {
    work()
    name(42, Reason.dataExtend)
    node(43, false, '41/g', '5/h')
    name(43, Reason.hardLinkChange)
    expect(work()).toEqual([
      ...ABOVE,
      'present 41 f 42',
      'named 42',
      'present 41 g 43',
      'present 5 h 43',
      'named 43',
      'present 0  5',
    ])
  })

  it('tells what is gone last, and a directory that came with all that it holds', () => {
    work()
    node(42, false)
    name(42, Reason.fileDelete)
    node(44, true, '40/new')
    node(45, false, '44/in')
    name(44, Reason.fileCreate)
    expect(work()).toEqual([
      'present 0  5',
      'present 5 a 40',
      'present 40 new 44',
      'named 44',
      'named 42',
      'present 44 in 45',
      'listed 44',
    ])
  })

  it('takes what is left out, or lies in what is, for gone', () => {
    work()
    node(41, true, `40/${EXCLUDED}`)
    name(41, Reason.renameNewName)
    expect(work()).toEqual(['present 0  5', 'named 41'])
    name(42, Reason.dataExtend)
    expect(work()).toEqual(['named 42'])
    node(41, true, '5/shown')
    name(41, Reason.renameNewName)
    expect(work()).toEqual(['present 0  5', 'present 5 shown 41', 'named 41', 'present 0  5'])
    // The index does not know it, and asks.
    tree.requestListing(new Uint8Array(0), { low: 41, high: 0, birth: 1 }, 0, true)
    expect(work()).toEqual(['present 0  5', 'present 5 shown 41', 'present 41 f 42', 'listed 41'])
  })

  it('lists all below a directory where that is asked for, and a directory that is gone not at all', () => {
    work()
    tree.requestListing(new Uint8Array(0), { low: 40, high: 0, birth: 1 }, 0, true)
    expect(work()).toEqual([
      'present 0  5',
      'present 5 a 40',
      'present 40 b 41',
      'listed 40',
      'present 0  5',
      'present 5 a 40',
      'present 40 b 41',
      'present 41 f 42',
      'listed 41',
    ])
    tree.requestListing(new Uint8Array(0), { low: 40, high: 0, birth: 2 }, 0, true)
    expect(work()).toEqual(['named 40'])
    // What stands for a directory has what was told of it.
    expect(tree.requestListing(new Uint8Array(0), { low: 40, high: MISSING, birth: 2 }, 0, true)).toBe(true)
    expect(work()).toEqual(['nothing else in 40', 'nothing else in 40'])
  })

  it('tells alternate streams beside each name, of a directory with its place, and of the root none', () => {
    tree.close()
    tree = follow({ id: '0', next: 0 }, true)
    work()
    const set = (record: number, streams: Record<string, number>) =>
      image.table.records.set(record, { ...image.table.records.get(record)!, streams })
    node(43, false, '41/g', '5/h')
    set(43, { s: 7, private: 8 })
    set(41, { t: 9 })
    set(ROOT.record, { u: 1 })
    name(43, Reason.streamChange)
    expect(work()).toEqual([
      'present 0  5',
      'present 5 a 40',
      'present 40 b 41',
      'present 40 b:t 41',
      'named 41',
      'present 41 g 43',
      'present 41 g:s 43',
      'present 5 h 43',
      'present 5 h:s 43',
      'named 43',
    ])
    set(43, {})
    name(43, Reason.streamChange)
    expect(work().slice(-3)).toEqual(['present 41 g 43', 'present 5 h 43', 'named 43'])
    tree.requestListing(new Uint8Array(0), { low: 40, high: 0, birth: 1 }, 0, false)
    expect(work().slice(2)).toEqual(['present 40 b 41', 'present 40 b:t 41', 'named 41', 'listed 40'])
  })

  it('tells what has lost its directory below what stands for that', () => {
    work()
    node(44, false, '5/<orphaned>_')
    node(41, true)
    name(42, Reason.basicInfoChange)
    expect(work()).toEqual([
      'present 0  5',
      'present 5 <orphaned>__ 0',
      'present 0 41-1 41',
      'present 41 f 42',
      'named 42',
    ])
  })

  it('is lost when a name comes into the root that is like that for what has lost its directory', () => {
    work()
    const record = { record: 42, sequence: 1, parent: ROOT.record, parentSequence: ROOT.sequence, attributes: 0x20 }
    image.append([{ ...record, reasons: Reason.renameNewName, name: '<orphaned>x' }])
    image.append([{ ...record, reasons: Reason.dataExtend, name: '<orphaned>' }])
    image.write()
    work()
    expect(losses).toEqual([])
    image.append([{ ...record, reasons: Reason.renameOldName, name: '<orphaned>_' }])
    image.write()
    work()
    expect(losses).toEqual(['a name of its root is like that of what has lost its directory'])
  })

  it('tells nothing while nobody takes it, and all of it later', () => {
    work()
    name(42, Reason.dataExtend)
    hasRoom = false
    const generation = tree.nextGeneration()
    expect(tree.observe()).toBe(false)
    tree.flush()
    expect(tree.isDone(generation)).toBe(false)
    hasRoom = true
    expect(work()).toEqual([...ABOVE, 'present 41 f 42', 'named 42'])
    expect(tree.isDone(generation)).toBe(true)
  })

  it('says how far it is known when that is durable', async () => {
    work()
    name(42, Reason.dataExtend)
    work()
    await new Promise(resolve => setTimeout(resolve, 5))
    expect(reached).toEqual([])
    tree.durable(batches)
    await expect.poll(() => reached.length).toBe(1)
    const now = new StoredJournal('', new VolumeImage(image.path).read)
    now.look()
    expect(reached).toEqual([[0, now.end()]])
  })

  it('does not look at a file that nobody has written, but for a barrier', async () => {
    work()
    const old = new Date(Date.now() - 60_000)
    utimesSync(image.path, old, old)
    work()
    const before = looks
    for (let i = 0; i < 20; i++) {
      await new Promise(resolve => setTimeout(resolve, 5))
      tree.observe()
      tree.flush()
    }
    expect(looks).toBe(before)
    work()
    expect(looks).toBe(before + 1)
    name(42, Reason.dataExtend)
    await expect
      .poll(() => {
        tree.observe()
        tree.flush()
        return told
      })
      .toContain('present 41 f 42')
  })

  it('is lost with its journal, and when it cannot be read', () => {
    name(42, Reason.dataExtend)
    work()
    image.restamp()
    image.write()
    work()
    expect(losses).toEqual(['its change journal was given another id'])
    losses = []
    tree = follow({ id: '', next: 0 })
    writeFileSync(image.path, 'no volume')
    work()
    expect(losses).toEqual([expect.stringContaining('expected')])
    expect(tree.hasWork).toBe(false)
  })
})

describe('beginning to follow a volume', () => {
  const listener = {
    emit: () => {},
    hasRoom: () => true,
    woken: () => {},
    lost: () => {},
    lastSequence: () => 0,
    reached: () => {},
  }
  const begin = (known: JournalPosition | undefined) =>
    followVolume({ path: image.path, excludes: [], known }, listener)

  it('goes on where it is known, else where it ends now, and says what is missing', () => {
    name(42, Reason.dataExtend)
    const fresh = begin(undefined)
    if (typeof fresh === 'string') throw new Error(fresh)
    expect(fresh.loss).toBeUndefined()
    const { from } = fresh.tree
    expect(from.next).toBeGreaterThan(0)
    expect(begin({ id: from.id, next: 0 })).toMatchObject({ loss: undefined, tree: { from: { next: 0 } } })
    expect(begin({ id: from.id, next: from.next + 8_000 })).toMatchObject({
      loss: 'its change journal ends before what was read',
      tree: { from },
    })
    expect(begin({ id: 'other', next: 8 })).toMatchObject({ loss: 'its change journal was begun anew' })
  })

  it('is refused without a journal, and where there is no volume', () => {
    image.delete()
    image.write()
    expect(begin(undefined)).toBe('it has no change journal')
    expect(begin({ id: 'j', next: 0 })).toBe('its change journal was deleted')
    writeFileSync(image.path, 'no volume')
    expect(begin(undefined)).toContain('expected')
    rmSync(image.path)
    expect(begin(undefined)).toContain('ENOENT')
  })
})
