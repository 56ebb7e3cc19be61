// A listing of a volume as one digest, on Windows and on Linux alike.
import { createHash } from 'node:crypto'

export function optionsOf(signal = new AbortController().signal) {
  return { excludes: [], excludedDirectories: [], crossDevices: false, threads: 2, namesOnly: false, signal }
}

/** Reads a source to its end: how many entries, a digest of all columns, and paths. */
export async function listingOf(source) {
  const hash = createHash('sha256')
  const directories = new Map()
  const paths = []
  let count = 0
  for await (const { entries } of source.batches()) {
    count += entries.count
    for (const column of columnsOf(entries)) hash.update(new Uint8Array(column.slice().buffer))
    for (let row = 0; row < entries.count; row++) {
      const bytes = entries.names.subarray(entries.nameOffsets[row], entries.nameOffsets[row + 1])
      const name = Buffer.from(bytes).toString('latin1')
      const parent = directories.get(entries.parent[row])
      const path = parent === undefined ? name : `${parent}/${name}`
      if (entries.directory[row] !== 0) directories.set(entries.directory[row], path)
      paths.push(path)
    }
  }
  return { volume: source.volume, count, digest: hash.digest('hex'), paths: paths.sort() }
}

/** `RECORD SEQUENCE NAME` of all entries that a source lists whose record and sequence number are wanted. */
export async function namesOfNodes(source, isWanted) {
  const lines = new Set()
  for await (const { entries } of source.batches())
    for (let row = 0; row < entries.count; row++) addName(lines, entries, row, isWanted)
  return [...lines].sort()
}

/** Adds a row as a line. */
export function addName(lines, { ref, names, nameOffsets }, row, isWanted) {
  const [record, sequence] = [ref.low[row], ref.birth[row]]
  const name = Buffer.from(names.subarray(nameOffsets[row], nameOffsets[row + 1])).toString('latin1')
  if (isWanted(record, sequence)) lines.add(`${record} ${sequence} ${name}`)
}

/** The nodes that records of the journal name (`makeJournal`): 500 records with nine sequence numbers each. */
export const JOURNAL_NODES = 500 * 9
export const isNamed = record => record >= 64 && record < 564
export const isInJournal = (record, sequence) => isNamed(record) && sequence >= 1 && sequence <= 9

function columnsOf({ count: _, ref, modified, changed, created, accessed, ...columns }) {
  const times = [modified, changed, created, accessed].flatMap(({ seconds, ticks }) => [seconds, ticks])
  return [...Object.values(columns), ref.low, ref.high, ref.birth, ...times].filter(ArrayBuffer.isView)
}
