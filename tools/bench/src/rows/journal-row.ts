import { drive, UsnJournal, UsnReader } from '@hotpath/ntfs'
import type { BenchContext } from '../bench-context.js'
import { formatCount, formatMegabytes, formatMs } from '../format.js'
import { addJournal, openImage } from '../ntfs-image.js'
import { findProgram, runSilently } from '../peers/program.js'
import { type BenchRow, type Peer, row } from '../report.js'
import { spreadOf } from '../statistics.js'

const RECORDS = 1_000_000
const SMOKE_RECORDS = 5_000
const ROUNDS = 5
/** As much as a reader asks for at once. */
const PIECE_BYTES = 256 * 1024

interface Reading {
  readonly records: number
  readonly ms: number
}

/**
 * Reading the change journal of a volume whole, from the page cache: what a watcher does that was away for long. The peer finds and prints the same
 * records.
 */
export async function journalRow(context: BenchContext, image: string): Promise<BenchRow> {
  const wanted = context.scale(RECORDS, SMOKE_RECORDS)
  const id = 'ntfs.journal'
  const failure = await addJournal(context, image, wanted)
  if (failure !== undefined) return row({ id, what: 'records of a change journal', skipped: failure })
  context.log('reading the change journal')
  const ms: number[] = []
  const bytesMs: number[] = []
  let bytes = 0
  // The first round brings everything into memory.
  for (let round = 0; round <= context.scale(ROUNDS, 2); round++) {
    const plain = readBytes(image)
    const read = readRecords(image)
    if (read.records !== wanted) throw new Error(`${read.records} records of ${wanted} were read`)
    bytes = plain.bytes
    if (round === 0) continue
    ms.push(read.ms)
    bytesMs.push(plain.ms)
  }
  const all = spreadOf(ms)
  const plain = spreadOf(bytesMs)
  const perSecond = (wanted / all.p50) * 1_000
  return row({
    id,
    what: `reading ${formatCount(wanted)} records of $J, one thread`,
    ours: {
      text: `${formatCount(perSecond)} records/s, ${formatMegabytes((bytes / all.p50) * 1_000)}/s (median ${formatMs(all.p50)})`,
      figures: { recordsPerSecond: perSecond, p50Ms: all.p50, minMs: all.min, bytes },
    },
    peers: [
      {
        name: 'reading the same bytes',
        text: `${formatMegabytes((bytes / plain.p50) * 1_000)}/s`,
        figures: { p50Ms: plain.p50 },
      },
      await usnjlsPeer(context, image, wanted),
    ],
  })
}

/** From finding the journal until its last record is a row. */
function readRecords(image: string): Reading {
  const startedMs = performance.now()
  const { read, close, journal } = openJournal(image)
  const reader = new UsnReader(journal, journal.firstUsn)
  const rows = UsnReader.rows()
  let records = 0
  while (drive(reader.read(rows), read)) {
    if (reader.damage !== undefined) throw reader.damage
    records += rows.count
  }
  close()
  return { records, ms: performance.now() - startedMs }
}

function readBytes(image: string): { readonly bytes: number; readonly ms: number } {
  const startedMs = performance.now()
  const { read, close, journal } = openJournal(image)
  for (let at = journal.firstUsn; at < journal.size; at += PIECE_BYTES) drive(journal.read(at, PIECE_BYTES), read)
  close()
  return { bytes: journal.size - journal.firstUsn, ms: performance.now() - startedMs }
}

function openJournal(image: string) {
  const { volume, read, close } = openImage(image, PIECE_BYTES)
  const journal = drive(UsnJournal.open(volume), read)
  if (typeof journal === 'string') throw new Error(`the journal of ${image} is ${journal}`)
  return { journal, read, close }
}

async function usnjlsPeer(context: BenchContext, image: string, records: number): Promise<Peer> {
  const usnjls = findProgram('usnjls')
  if (usnjls === undefined) return { name: 'usnjls', text: 'not installed' }
  const ms: number[] = []
  for (let round = 0; round < context.scale(3, 1); round++) ms.push(await runSilently(usnjls, ['-f', 'ntfs', image]))
  const { p50 } = spreadOf(ms)
  const perSecond = (records / p50) * 1_000
  return {
    name: 'usnjls, with its start and to /dev/null',
    text: `${formatCount(perSecond)} records/s (median ${formatMs(p50)})`,
    figures: { recordsPerSecond: perSecond, p50Ms: p50 },
  }
}
