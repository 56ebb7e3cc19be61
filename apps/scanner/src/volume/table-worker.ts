import { parentPort, workerData } from 'node:worker_threads'
import { MftParser, MftRows, Stream } from '@hotpath/ntfs'
import type { PieceReply, PieceRequest, TableJob } from './table-messages.js'
import { VolumeFile } from './volume-file.js'

const { path, recordBytes, clusterBytes, tableBytes, extents, pieceBytes, streams, idle } = workerData as TableJob
const file = new VolumeFile(path)
const table = new Stream(clusterBytes, tableBytes)
table.append(extents)
const parser = new MftParser(recordBytes)
const piece = new Uint8Array(pieceBytes)

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
    const length = file.readStream(table, first * recordBytes, count * recordBytes, piece)
    parser.parse(piece.subarray(0, length), first, rows)
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
