import { parentPort, workerData } from 'node:worker_threads'
import { MftRows, Stream } from '@hotpath/ntfs'
import { PieceQueue } from './piece-queue.js'
import { PieceReader } from './piece-reader.js'
import { openRawFile } from './raw-file.js'
import type { TableJob, TableReply } from './table-messages.js'
import { VolumeFile } from './volume-file.js'

const { path, recordBytes, clusterBytes, tableBytes, extents, pieceBytes, streams, idle, ...shared } =
  workerData as TableJob
const queue = new PieceQueue(shared.queue, shared.memories.length)
const memories = shared.memories.map(buffer => MftRows.forPiece(pieceBytes, recordBytes, { streams, buffer }))
const table = new Stream(clusterBytes, tableBytes)
table.append(extents)
// What opens volumes of Windows takes as long to load as all else: others need not.
const open = process.platform === 'win32' ? (await import('./raw-volume.js')).openRaw : openRawFile
const file = new VolumeFile(path, open(path))
const reader = new PieceReader(file, table, recordBytes)

if (idle) {
  const { takeIdlePriority } = await import('@hotpath/platform')
  const refused = takeIdlePriority()
  if (refused.length > 0) post({ refused })
}
post('ready')
try {
  for (let number = queue.takeNext(); number !== undefined; number = queue.takeNext())
    if (queue.finish(number, reader.parse(queue.pieceOf(number), memories[number % queue.slots]!))) post('parsed')
} catch (failure) {
  post({ failure })
} finally {
  file.close()
}

function post(reply: TableReply): void {
  parentPort!.postMessage(reply)
}
