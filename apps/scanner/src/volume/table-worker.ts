import { parentPort, workerData } from 'node:worker_threads'
import { MftParser, MftRows, Stream } from '@hotpath/ntfs'
import type { PieceReply, PieceRequest, TableJob } from './table-messages.js'
import { VolumeFile } from './volume-file.js'

const { path, recordBytes, clusterBytes, tableBytes, extents, pieceBytes } = workerData as TableJob
const file = new VolumeFile(path)
const table = new Stream(clusterBytes, tableBytes)
table.append(extents)
const parser = new MftParser(recordBytes)
const piece = new Uint8Array(pieceBytes)

parentPort!.on('message', (request: PieceRequest) => parentPort!.postMessage(replyTo(request)))
parentPort!.on('close', () => file.close())

function replyTo({ slot, first, count, rows: buffer }: PieceRequest): PieceReply {
  try {
    const rows = MftRows.forPiece(pieceBytes, recordBytes, buffer)
    const length = file.readStream(table, first * recordBytes, count * recordBytes, piece)
    parser.parse(piece.subarray(0, length), first, rows)
    return { slot, rows: rows.count, scattered: rows.scatteredCount, stats: parser.stats }
  } catch (failure) {
    return { failure }
  }
}
