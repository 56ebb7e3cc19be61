import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  drive,
  ListingBatches,
  largestOf,
  listVolume,
  MftParser,
  MftRows,
  readStream,
  TableListing,
  tablePieces,
  Volume,
} from '@hotpath/ntfs'
import { anonymousMemory } from '@hotpath/platform'
import { openVolumeFile, TableThreads, VolumeSource } from '@hotpath/scanner'
import type { BenchContext } from '../bench-context.js'
import { formatCount, formatMegabytes, formatMs } from '../format.js'
import { makeNtfsImage, openImage } from '../ntfs-image.js'
import { findProgram, runSilently } from '../peers/program.js'
import { type BenchRow, type Peer, row } from '../report.js'
import { spreadOf } from '../statistics.js'
import { isComplete } from '../system.js'
import { journalRow } from './journal-row.js'

const PIECE_BYTES = 2 * 1024 * 1024
const ROUNDS = 5
const SEARCHABLE_MS = 5_000
const SCANNER_BYTES = 120_000_000
const ONE_CORE = 1_000_000
const TWO_CORES = 1_700_000
const SAMPLE_MS = 50

/** Reading a real NTFS volume: its master file table alone, its entries, and until they are searchable. */
export async function ntfsRows(context: BenchContext): Promise<BenchRow[]> {
  const made = await makeNtfsImage(context)
  if (typeof made === 'string')
    return [row({ id: 'ntfs.parse', what: 'records of a master file table', skipped: made })]
  const { image } = made
  context.log('reading the master file table')
  const rows = [
    parseRow(context, image),
    await parseByThreadsRow(context, image),
    await listRow(context, image),
    await searchableRow(context, image),
  ]
  // Last: it changes the volume.
  return [...rows, await journalRow(context, image)]
}

/** One thread, from the page cache; the peer reads the same bytes and looks at nothing. */
function parseRow(context: BenchContext, image: string): BenchRow {
  const file = openImage(image, PIECE_BYTES)
  const { volume, read } = file
  const { recordBytes } = volume.geometry
  const rows = MftRows.forPiece(PIECE_BYTES, recordBytes)
  const parseMs: number[] = []
  const readMs: number[] = []
  let names = 0
  for (let round = 0; round <= context.scale(ROUNDS, 2); round++) {
    const parser = new MftParser(recordBytes)
    let parsing = 0
    let reading = 0
    names = 0
    for (let first = 0; first < volume.records; first += PIECE_BYTES / recordBytes) {
      const startedMs = performance.now()
      const piece = drive(readStream(volume.table, first * recordBytes, PIECE_BYTES), read)
      const readAt = performance.now()
      rows.clear()
      parser.parse(piece, first, rows)
      parsing += performance.now() - readAt
      reading += readAt - startedMs
      names += rows.count
    }
    // The first round brings everything into memory.
    if (round === 0) continue
    parseMs.push(parsing)
    readMs.push(reading)
  }
  file.close()
  const parse = spreadOf(parseMs)
  const readOnly = spreadOf(readMs)
  const perSecond = (volume.records / parse.p50) * 1_000
  return row({
    id: 'ntfs.parse',
    what: `parsing ${formatCount(volume.records)} records of $MFT, one thread`,
    ours: {
      text: `${formatCount(perSecond)} records/s, ${formatMegabytes((volume.table.bytes / parse.p50) * 1_000)}/s (median ${formatMs(parse.p50)})`,
      figures: { recordsPerSecond: perSecond, p50Ms: parse.p50, minMs: parse.min, names },
    },
    budget: {
      text: `≥ ${formatCount(ONE_CORE)} records/s`,
      met: context.options.smoke ? undefined : perSecond >= ONE_CORE,
    },
    peers: [
      {
        name: 'reading the same bytes',
        text: `${formatMegabytes((volume.table.bytes / readOnly.p50) * 1_000)}/s`,
        figures: { p50Ms: readOnly.p50 },
      },
    ],
  })
}

/** Reading and parsing by the scanner's threads, the start of the one beside the caller included; nobody lists. */
async function parseByThreadsRow(context: BenchContext, image: string): Promise<BenchRow> {
  const times: number[] = []
  let records = 0
  let names = 0
  for (let round = 0; round < context.scale(ROUNDS, 1); round++) {
    const startedMs = performance.now()
    const file = openVolumeFile(image)
    const volume = drive(Volume.open(image), request => file.read(request))
    const pieces = drive(tablePieces(volume), request => file.read(request))
    const pieceBytes = largestOf(pieces) * volume.geometry.recordBytes
    const { signal } = new AbortController()
    const threads = new TableThreads(volume, file, pieceBytes, { threads: 1, signal })
    names = 0
    for await (const { rows } of threads.parse(pieces)) names += rows.count
    await threads.close()
    file.close()
    times.push(performance.now() - startedMs)
    records = volume.records
  }
  const { p50, min } = spreadOf(times)
  const perSecond = (records / p50) * 1_000
  return row({
    id: 'ntfs.parse-two',
    what: `reading and parsing ${formatCount(records)} records of $MFT, two threads`,
    ours: {
      text: `${formatCount(perSecond)} records/s (median ${formatMs(p50)})`,
      figures: { recordsPerSecond: perSecond, p50Ms: p50, minMs: min, names },
    },
    budget: {
      text: `≥ ${formatCount(TWO_CORES)} records/s`,
      met: context.options.smoke ? undefined : perSecond >= TWO_CORES,
    },
  })
}

/** What the scanner sends: reading, parsing by two threads, order of directories, batches. */
async function listRow(context: BenchContext, image: string): Promise<BenchRow> {
  const onOne: number[] = []
  const onTwo: number[] = []
  let entries = 0
  for (let round = 0; round < context.scale(ROUNDS, 1); round++) {
    const startedMs = performance.now()
    const file = openImage(image, PIECE_BYTES)
    const batches = new ListingBatches(new Uint8Array(Buffer.from('image')))
    const listing = new TableListing(file.volume.records, batches)
    drive(listVolume(file.volume, new MftParser(file.volume.geometry.recordBytes), listing), request => {
      for (const batch of batches.take()) batches.reuse(batch)
      return file.read(request)
    })
    file.close()
    onOne.push(performance.now() - startedMs)
    const againMs = performance.now()
    const source = openSource(image)
    for await (const batch of source.batches()) if (batch.entries.count === 0) break
    onTwo.push(performance.now() - againMs)
    entries = source.progress().entries
  }
  const one = spreadOf(onOne)
  const two = spreadOf(onTwo)
  const rate = (ms: number) => (entries / ms) * 1_000
  return row({
    id: 'ntfs.list',
    what: `listing a volume of ${formatCount(entries)} entries, two threads`,
    ours: {
      text: `${formatCount(rate(two.p50))}/s (median ${formatMs(two.p50)}); one thread ${formatCount(rate(one.p50))}/s`,
      figures: { entriesPerSecond: rate(two.p50), p50Ms: two.p50, oneThreadP50Ms: one.p50 },
    },
    budget: {
      text: `≥ ${formatCount(TWO_CORES)}/s`,
      met: context.options.smoke ? undefined : rate(two.p50) >= TWO_CORES,
    },
    peers: [await flsPeer(image, entries)],
  })
}

async function flsPeer(image: string, entries: number): Promise<Peer> {
  const fls = findProgram('fls')
  if (fls === undefined) return { name: 'fls -r -p', text: 'not installed' }
  const ms = await runSilently(fls, ['-r', '-p', '-f', 'ntfs', image])
  const text = `${formatCount((entries / ms) * 1_000)}/s (${formatMs(ms)})`
  return { name: 'fls -r -p', text, figures: { entriesPerSecond: (entries / ms) * 1_000, ms } }
}

/** The whole system, from its start until the image is searchable. */
async function searchableRow(context: BenchContext, image: string): Promise<BenchRow> {
  context.log('indexing the volume')
  const system = context.startSystem(join(context.folder, 'ntfs-data'), ['--image', image, '--no-watch'])
  let scannerBytes = 0
  // Looking through all processes takes milliseconds of the processors that are measured: until the scanner is found.
  let scanner: number | undefined
  const sampler = setInterval(() => {
    scanner ??= system.pids.find(isScanner)
    if (scanner !== undefined) scannerBytes = Math.max(scannerBytes, anonymousBytesOf(scanner))
  }, SAMPLE_MS)
  try {
    const client = await system.connect()
    const { entries } = await system.waitForStatus(client, isComplete)
    const ms = performance.now() - system.startedMs
    await client.close()
    return row({
      id: 'ntfs.searchable',
      what: `image of ${formatCount(entries)} entries → searchable, from the supervisor’s start`,
      ours: {
        text: `${formatMs(ms)}; scanner ${formatMegabytes(scannerBytes)} anonymous memory at most`,
        figures: { ms, scannerBytes },
      },
      budget: {
        text: `≤ ${formatMs(SEARCHABLE_MS)}, ${formatMegabytes(SCANNER_BYTES)}`,
        met: context.options.smoke ? undefined : ms <= SEARCHABLE_MS && scannerBytes <= SCANNER_BYTES,
      },
    })
  } finally {
    clearInterval(sampler)
    await system.stop()
  }
}

function isScanner(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('/scanner/')
  } catch {
    return false
  }
}

function anonymousBytesOf(pid: number): number {
  try {
    return anonymousMemory(pid)
  } catch {
    return 0
  }
}

function openSource(image: string): VolumeSource {
  return new VolumeSource(
    { id: 'bench', kind: 'volume', path: image },
    {
      excludes: [],
      excludedDirectories: [],
      crossDevices: false,
      threads: 2,
      namesOnly: false,
      signal: new AbortController().signal,
    },
  )
}
