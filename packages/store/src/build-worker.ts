import { parentPort } from 'node:worker_threads'
import { buildSegment, mergeSegments, PAGE_SIZE, SegmentReader } from '@hotpath/index-format'
import { createBuildKernels } from '@hotpath/kernels'
import { CorruptFileError, systemFailureOf } from '@hotpath/model'
import { type MappedFile, mapFile, releaseMemory } from '@hotpath/platform'
import { type BuildFailure, type BuildReply, type BuildRequest, buffersOf } from './build-messages.js'
import { mergeInput } from './local-backend.js'
import { SegmentFileSink } from './segment-file-sink.js'

/** Live as long as the thread: their memory is reused from segment to segment. */
const kernels = createBuildKernels()
/** Rows in shared memory were built, which lives as long as this thread has not collected what it knew of them. */
let knowsSharedRows = false

/** The store's worker thread: builds and merges segments, one after the other. */
function answer(request: Exclude<BuildRequest, { kind: 'stop' }>): BuildReply {
  const { id } = request
  if (request.kind === 'merge' && knowsSharedRows) {
    knowsSharedRows = false
    releaseMemory()
  }
  if (request.kind === 'verify') {
    withReaders([request.file], ([reader]) => reader.verify())
    return { id }
  }
  const sink = new SegmentFileSink(request.file, PAGE_SIZE)
  try {
    if (request.kind === 'build') {
      // What is built from rows is merged soon: the merge makes the list of words.
      const stats = buildSegment(request.rows, sink, { kernels, words: false })
      sink.publish()
      knowsSharedRows ||= request.rows.names.buffer instanceof SharedArrayBuffer
      return { id, stats, rows: request.rows }
    }
    const files = request.sources.map(source => source.file)
    return withReaders(files, readers => {
      const inputs = readers.map((reader, i) => mergeInput(reader, request.sources[i].dead))
      const { mapping, ...stats } = mergeSegments(inputs, dirId => request.places.get(dirId), sink, { kernels })
      sink.publish()
      return { id, stats, mapping }
    })
  } finally {
    sink.discard()
  }
}

/** Maps files for the time of a call. */
function withReaders<T>(files: readonly string[], use: (readers: SegmentReader[]) => T): T {
  const mapped: MappedFile[] = []
  try {
    const readers = files.map(file => {
      const mapping = mapFile(file)
      mapped.push(mapping)
      return new SegmentReader(file, mapping.bytes())
    })
    return use(readers)
  } finally {
    for (const mapping of mapped) mapping.unmap()
  }
}

function failureOf(error: unknown): BuildFailure {
  const message = error instanceof Error ? error.message : String(error)
  const { code = 'UNKNOWN', call = '' } = systemFailureOf(error) ?? {}
  if (!(error instanceof CorruptFileError)) return { message, code, call }
  return {
    message,
    code,
    call,
    corrupt: { file: error.file, offset: error.offset, expected: error.expected, found: error.found },
  }
}

const port = parentPort
if (!port) throw new Error('build-worker runs in a worker thread')
port.on('message', (request: BuildRequest) => {
  if (request.kind === 'stop') {
    port.close()
    return
  }
  let reply: BuildReply
  try {
    reply = answer(request)
  } catch (error) {
    reply = { id: request.id, failure: failureOf(error) }
  }
  const moved = reply.rows ? buffersOf(reply.rows) : (reply.mapping ?? []).map(mapping => mapping.buffer as ArrayBuffer)
  port.postMessage(reply, moved)
})
