#!/usr/bin/env node
// fixture.mjs IMG TRUTH.tsv OUT.gz [table|journal|index]: keeps of an image what a reader needs and, beside it, the truth. table: what lists it
// (boot sector, $MFT, attribute lists); journal: what finds and reads $UsnJrnl; index: what looks up names in the directory `many`.
// Layout, gzipped: u32 length of a JSON text { size, parts: [[offset, length] …], truth: length }, the text, the parts, the truth.
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { drive, lookUp, ROOT_RECORD, readStream, tablePieces, UsnJournal, UsnReader, Volume } from '@hotpath/ntfs'

const [image, truthFile, out, what = 'table'] = process.argv.slice(2)
const fd = openSync(image)
/** Parts that were read, by offset. */
const parts = new Map()
const read = ({ offset, length }) => {
  const bytes = new Uint8Array(length)
  readSync(fd, bytes, 0, length, offset)
  if (length > (parts.get(offset)?.length ?? 0)) parts.set(offset, bytes)
  return bytes.slice()
}
const volume = drive(Volume.open(image), read)
if (what === 'table') keepTable()
else if (what === 'journal') keepJournal()
else keepIndex()
const kept = [...parts].sort(([a], [b]) => a - b)
const truth = readFileSync(truthFile)
const head = Buffer.from(
  JSON.stringify({
    size: fstatSync(fd).size,
    parts: kept.map(([at, { length }]) => [at, length]),
    truth: truth.length,
  }),
)
closeSync(fd)
const length = Buffer.alloc(4)
length.writeUInt32LE(head.length)
writeFileSync(out, gzipSync(Buffer.concat([length, head, ...kept.map(([, bytes]) => bytes), truth]), { level: 9 }))

function keepTable() {
  const { recordBytes, mirrorCluster, clusterBytes } = volume.geometry
  read({ offset: mirrorCluster * clusterBytes, length: 4 * recordBytes })
  drive(tablePieces(volume), read)
  drive(readStream(volume.table, 0, volume.table.bytes), read)
  for (let number = 0; number < volume.records; number++) {
    try {
      const base = drive(volume.record(number), read)
      drive(volume.recordsOf(base, number), read)
    } catch {
      // Not in use.
    }
  }
}

function keepJournal() {
  const journal = drive(UsnJournal.open(volume), read)
  if (typeof journal === 'string') return
  drive(journal.endOfRecords(), read)
  const reader = new UsnReader(journal, journal.firstUsn)
  const rows = UsnReader.rows()
  while (drive(reader.read(rows), read));
}

function keepIndex() {
  const many = drive(lookUp(volume, ROOT_RECORD, 'many'), read)
  drive(lookUp(volume, ROOT_RECORD, 'none'), read)
  drive(lookUp(volume, many.record, 'none'), read)
}
