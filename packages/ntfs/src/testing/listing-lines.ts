import { type EntryColumns, Kind } from '@hotpath/model'
import { type ListOptions, listVolume } from '../list-volume.js'
import { ListingBatches } from '../listing-batches.js'
import { MftParser, type MftStats } from '../mft-parser.js'
import { drive, type ReadRequest } from '../stream.js'
import { TableListing } from '../table-listing.js'
import { Volume } from '../volume.js'

const EPOCH_SECONDS = 11_644_473_600n
const TICKS = 10_000_000n

export interface ListedVolume {
  readonly volume: Volume
  /** As the reference reader prints them: path, bytes, modified (FILETIME), record, sequence, directory; one for each name, sorted. */
  readonly lines: string[]
  readonly stats: MftStats
}

/** Lists a volume as the reference reader does. */
export function listLines(read: (request: ReadRequest) => Uint8Array, options?: ListOptions): ListedVolume {
  const volume = drive(Volume.open('image'), read)
  const parser = new MftParser(volume.geometry.recordBytes)
  const batches = new ListingBatches(new Uint8Array(0))
  drive(listVolume(volume, parser, new TableListing(volume.records, batches), options), read)
  batches.end()
  const lines = linesOf(batches.take().map(({ entries }) => entries))
  return { volume, lines, stats: parser.stats }
}

/** Entries as the reference reader prints them, sorted. Checks that directories come before what is in them, and each once. */
export function linesOf(batches: Iterable<EntryColumns>): string[] {
  const paths = new Map<number, string>()
  const lines: string[] = []
  const root = ''
  for (const entries of batches)
    for (let row = 0; row < entries.count; row++) {
      const name = entries.names.subarray(entries.nameOffsets[row]!, entries.nameOffsets[row + 1]!)
      const directory = entries.directory[row]!
      const parent = entries.parent[row]!
      const above = paths.get(parent)
      if (parent !== 0 && above === undefined) throw new Error(`a row before its directory ${parent}`)
      const path = above === undefined || above === root ? escaped(name) : `${above}/${escaped(name)}`
      if (directory !== 0) {
        if (paths.has(directory)) throw new Error(`directory ${directory} twice`)
        paths.set(directory, parent === 0 ? root : path)
      }
      if (parent === 0) continue
      const isDirectory = entries.kind[row] === Kind.directory
      const { seconds, ticks } = entries.modified!
      const isKnown = !Number.isNaN(seconds[row])
      const modified = isKnown ? (BigInt(seconds[row]!) + EPOCH_SECONDS) * TICKS + BigInt(ticks[row]!) : 'unknown'
      const { low, birth } = entries.ref!
      const size = isDirectory ? 0 : entries.size[row]
      lines.push([path, size, modified, low[row], birth[row], isDirectory ? 1 : 0].join('\t'))
    }
  return lines.sort()
}

/** Bytes as characters, with what the reference reader escapes. */
export function escaped(name: Uint8Array): string {
  return Buffer.from(name)
    .toString('latin1')
    .replace(/[\0-\x1f\x7f\\]/g, character => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
