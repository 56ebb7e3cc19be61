import {
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import type { Random } from '@hotpath/index-format/testing'

/** Room for two of the longest names below what a path may have (4,096 bytes). */
const MAX_PATH_BYTES = 2_500
const MAX_DIRECTORY_BYTES = 1_500
const SLASH = Buffer.from('/')
const LONE_HIGH = Buffer.from([0xed, 0xa0, 0xbd])
const LONE_LOW = Buffer.from([0xed, 0xb0, 0x80])
/** What names begin with; a number makes them different. */
const BEGINNINGS = [
  ...[
    'file',
    'Größe',
    'e\u0301',
    '漢字',
    '\u{1f600}',
    'a:b',
    'st*r?',
    'back\\slash',
    'line\nbreak',
    '\x01',
    ' ',
    '-',
    '$MFT',
    '\ufeff',
    '.',
  ],
  ...['ملف', 'con', 'x'.repeat(200), '漢'.repeat(240), '\u{1f600}'.repeat(120)],
].map(text => Buffer.from(text))
const NAMES = [...BEGINNINGS, LONE_HIGH, LONE_LOW, Buffer.concat([LONE_LOW, LONE_HIGH])]
const SIZES = [0, 1, 100, 600, 700, 1_024, 4_096, 4_097, 40_000, 200_000]
/** The beginning of FILETIME, the end of 64 bits of nanoseconds, and around 1970. */
const SECONDS = [-11_644_473_600, -1, 0, 1, 2 ** 31, 4_102_444_800, 9_223_372_036]
/** What a full or a busy volume says, and a move into what is moved. */
const EXPECTED = new Set(['ENOSPC', 'EINVAL', 'ENOTEMPTY', 'EMLINK', 'EEXIST', 'EISDIR', 'ENOTDIR'])

interface Place {
  path: Buffer
  readonly isDirectory: boolean
}

/** Random changes of a tree by its own means. Paths are bytes: names need not be text. */
export class RandomOperations {
  readonly #random: Random
  readonly #places: Place[]
  #made = 0
  /** What was done, and how often. */
  readonly done = new Map<string, number>()

  constructor(random: Random, root: string) {
    this.#random = random
    this.#places = [{ path: Buffer.from(root), isDirectory: true }]
  }

  run(count: number): void {
    const steps = [
      ...[this.#makeDirectory, this.#makeFile, this.#makeFile, this.#makeFile, this.#makeMany, this.#makeSparse],
      ...[this.#write, this.#link, this.#linkOften, this.#linkBySymbol, this.#rename, this.#rename],
      ...[this.#replace, this.#remove, this.#remove, this.#setTime, this.#setTime],
    ]
    for (let left = count; left > 0; left--) {
      const step = this.#random.pick(steps)
      try {
        step.call(this)
        this.done.set(step.name, (this.done.get(step.name) ?? 0) + 1)
      } catch (error) {
        if (!EXPECTED.has((error as NodeJS.ErrnoException).code ?? '')) throw error
      }
    }
  }

  #fresh(): Buffer {
    const directories = this.#places.filter(({ path, isDirectory }) => isDirectory && path.length < MAX_DIRECTORY_BYTES)
    const directory = this.#random.pick(directories)
    const name = Buffer.concat([this.#random.pick(NAMES), Buffer.from(`${this.#made++}`)])
    return Buffer.concat([directory.path, SLASH, name])
  }

  /** A file, or undefined. */
  #file(): Place | undefined {
    const files = this.#places.filter(({ isDirectory }) => !isDirectory)
    return files.length === 0 ? undefined : this.#random.pick(files)
  }

  #add(path: Buffer, isDirectory = false): void {
    this.#places.push({ path, isDirectory })
  }

  #makeDirectory(): void {
    const path = this.#fresh()
    mkdirSync(path)
    this.#add(path, true)
  }

  #makeFile(): void {
    const path = this.#fresh()
    writeFileSync(path, new Uint8Array(this.#random.pick(SIZES)).fill(7))
    this.#add(path)
  }

  /** Records that are given back, and used by what comes next. */
  #makeMany(): void {
    const path = this.#fresh()
    mkdirSync(path)
    this.#add(path, true)
    const paths = Array.from({ length: 60 }, (_, i) => Buffer.concat([path, SLASH, Buffer.from(`entry ${i}`)]))
    for (const [i, child] of paths.entries()) writeFileSync(child, `${i}`)
    for (const [i, child] of paths.entries())
      if (i % 3 === 0) unlinkSync(child)
      else this.#add(child)
  }

  #makeSparse(): void {
    const path = this.#fresh()
    const fd = openSync(path, 'wx')
    this.#add(path)
    try {
      ftruncateSync(fd, this.#random.pick([1_000_000, 2 ** 32 + 1, 2 ** 40]))
      for (let i = this.#random.below(5); i > 0; i--) writeSync(fd, 'middle', this.#random.below(900_000))
    } finally {
      closeSync(fd)
    }
  }

  #write(): void {
    const file = this.#file()
    if (file !== undefined) writeFileSync(file.path, new Uint8Array(this.#random.pick(SIZES)).fill(8))
  }

  #link(): void {
    const file = this.#file()
    if (file === undefined) return
    const path = this.#fresh()
    linkSync(file.path, path)
    this.#add(path)
  }

  /** More names than a record holds. */
  #linkOften(): void {
    for (let i = this.#random.below(25); i > 0; i--) this.#link()
  }

  #linkBySymbol(): void {
    // Nothing is written through it, so that it may be forgotten.
    symlinkSync('../somewhere/größe', this.#fresh())
  }

  #rename(): void {
    const place = this.#random.pick(this.#places)
    if (place === this.#places[0]) return
    const [from, to] = [place.path, this.#fresh()]
    const moved = this.#places.filter(other => other === place || isBelow(other.path, from))
    const longest = Math.max(...moved.map(({ path }) => path.length))
    if (longest - from.length + to.length > MAX_PATH_BYTES) return
    renameSync(from, to)
    for (const other of moved) other.path = Buffer.concat([to, other.path.subarray(from.length)])
  }

  #replace(): void {
    const [from, to] = [this.#file(), this.#file()]
    if (from === undefined || to === undefined || from === to) return
    renameSync(from.path, to.path)
    // Two names of one file stay as they are.
    if (!existsSync(from.path)) this.#places.splice(this.#places.indexOf(from), 1)
  }

  #remove(): void {
    const at = 1 + this.#random.below(Math.max(1, this.#places.length - 1))
    const place = this.#places[at]
    if (place === undefined) return
    if (place.isDirectory) rmdirSync(place.path)
    else unlinkSync(place.path)
    this.#places.splice(at, 1)
  }

  #setTime(): void {
    const { path } = this.#random.pick(this.#places)
    const seconds = this.#random.pick(SECONDS) + this.#random.below(1_000)
    lutimesSync(path, seconds, seconds + this.#random.below(10_000_000) / 10_000_000)
  }
}

function isBelow(path: Buffer, directory: Buffer): boolean {
  return (
    path.length > directory.length &&
    path[directory.length] === SLASH[0] &&
    path.subarray(0, directory.length).equals(directory)
  )
}
