import { Kind } from '@hotpath/model'
import { MAX_RECORDS } from '../layout.js'
import { streamName } from '../listing-batches.js'
import type { MftRows } from '../mft-rows.js'
import { type ListingSink, ROOT_NUMBER } from '../table-listing.js'
import { MAX_BYTES_PER_UNIT } from '../wtf8.js'

/** Of a file and a stream of it. */
const MAX_NAME_UNITS = 2 * 255 + 1
const SLASH = 0x2f

/** Counts entries, and throws where one is not what a listing promises: a name that can be one, in a directory that was told before. */
export class CheckingSink implements ListingSink {
  entries = 0
  readonly #directories = new Set<number>()

  root(): void {
    if (this.#directories.size > 0) throw new Error('the root is not the first of all')
    this.#directories.add(ROOT_NUMBER)
  }

  entry(rows: MftRows, row: number, parent: number, directory: number): void {
    this.#add(rows.names.subarray(rows.nameOffsets[row], rows.nameOffsets[row + 1]), parent, directory)
    const isDirectory = rows.kind[row] === Kind.directory
    const size = rows.size[row]!
    if (isDirectory !== directory > 0 || !(isDirectory ? size === 0 : size >= 0)) {
      throw new Error(`kind ${rows.kind[row]}, directory ${directory}, ${size} bytes`)
    }
  }

  files(rows: MftRows, start: number, end: number, parent: number): void {
    for (let row = start; row < end; row++) this.entry(rows, row, parent, 0)
  }

  stream(rows: MftRows, row: number, stream: number, parent: number): void {
    this.#add(streamName(rows, row, stream), parent, 0)
    if (!(rows.streams!.size[stream]! >= 0)) throw new Error(`a stream of ${rows.streams!.size[stream]} bytes`)
  }

  missing(name: string, record: number, _sequence: number, parent: number, directory: number): void {
    this.#add(Buffer.from(name), parent, directory)
    if (record > MAX_RECORDS) throw new Error(`record ${record}`)
  }

  #add(name: Uint8Array, parent: number, directory: number): void {
    this.entries++
    const text = Buffer.from(name).toString('latin1')
    if (name.length === 0 || name.length > MAX_NAME_UNITS * MAX_BYTES_PER_UNIT)
      throw new Error(`a name of ${name.length} bytes`)
    if (name.includes(SLASH) || name.includes(0) || text === '.' || text === '..') throw new Error(`the name ${text}`)
    if (!this.#directories.has(parent)) throw new Error(`${text} before its directory ${parent}`)
    if (directory === 0) return
    if (this.#directories.has(directory)) throw new Error(`directory ${directory} twice`)
    this.#directories.add(directory)
  }
}
