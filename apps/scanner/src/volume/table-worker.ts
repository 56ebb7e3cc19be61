import { parentPort, workerData } from 'node:worker_threads'
import { MftRows, Stream } from '@hotpath/ntfs'
import { PieceReader } from './piece-reader.js'
import type { PieceReply, PieceRequest, TableJob } from './table-messages.js'
import { VolumeFile } from './volume-file.js'

const { path, recordBytes, clusterBytes, tableBytes, extents, pieceBytes, streams, idle } = workerData as TableJob
const file = new VolumeFile(path)
const table = new Stream(clusterBytes, tableBytes)
table.append(extents)
const reader = new PieceReader(file, table, recordBytes)

if (idle) {
  // Others need not load it.
  const { takeIdlePriority } = await import('@hotpath/platform')
  const refused = takeIdlePriority()
  if (refused.length > 0) post({ refused })
}
parentPort!.on('message', (request: PieceRequest) => post(replyTo(request)))
parentPort!.on('close', () => file.close())
post('ready')

function post(reply: PieceReply): void {
  parentPort!.postMessage(reply)
}

function replyTo({ slot, piece, rows: buffer }: PieceRequest): PieceReply {
  try {
    const rows = MftRows.forPiece(pieceBytes, recordBytes, { streams, buffer })
    reader.parse(piece, rows)
    return {
      slot,
      rows: rows.count,
      scattered: rows.scatteredCount,
      streams: rows.streams?.count ?? 0,
      stats: reader.stats,
    }
  } catch (failure) {
    return { failure }
  }
}
