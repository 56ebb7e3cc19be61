import { parentPort, workerData } from 'node:worker_threads'
import { MftParser, MftRows, Stream } from '@hotpath/ntfs'
import type { PieceReply, PieceRequest, TableJob } from './table-messages.js'
import { VolumeFile } from './volume-file.js'

const CHUNK_BYTES = 256 * 1024
const { path, recordBytes, clusterBytes, tableBytes, extents, pieceBytes, streams, idle } = workerData as TableJob
const file = new VolumeFile(path)
const table = new Stream(clusterBytes, tableBytes)
table.append(extents)
const parser = new MftParser(recordBytes)
/** Stays in the processor's cache from reading to parsing. */
const chunk = new Uint8Array(Math.min(pieceBytes, Math.max(recordBytes, CHUNK_BYTES)))
const chunkRecords = Math.floor(chunk.length / recordBytes)

if (idle) {
  // Others need not load it.
  const { takeIdlePriority } = await import('@hotpath/platform')
  const refused = takeIdlePriority()
  if (refused.length > 0) post({ refused })
}
parentPort!.on('message', (request: PieceRequest) => post(replyTo(request)))
parentPort!.on('close', () => file.close())

function post(reply: PieceReply): void {
  parentPort!.postMessage(reply)
}

function replyTo({ slot, first, count, rows: buffer }: PieceRequest): PieceReply {
  try {
    const rows = MftRows.forPiece(pieceBytes, recordBytes, { streams, buffer })
    for (let done = 0; done < count; done += chunkRecords) {
      const records = Math.min(chunkRecords, count - done)
      const length = file.readStream(table, (first + done) * recordBytes, records * recordBytes, chunk)
      parser.parse(chunk.subarray(0, length), first + done, rows)
    }
    return {
      slot,
      rows: rows.count,
      scattered: rows.scatteredCount,
      streams: rows.streams?.count ?? 0,
      stats: parser.stats,
    }
  } catch (failure) {
    return { failure }
  }
}
