/**
 * Serves an empty directory over the FUSE connection that is descriptor 3, until it is unmounted. Runs as a process of its own: whoever
 * looks at the directory stands still until it is answered.
 *
 * Messages (linux/fuse.h), little-endian. Request: u32 length, u32 operation, u64 number, 24 more bytes, and what belongs to the
 * operation. Reply: u32 length, i32 error (negative), u64 number, and what belongs to it.
 */
import { readSync, writeSync } from 'node:fs'

const FD = 3
const REQUEST_BYTES = 1 << 17
const REPLY_HEADER = 16
const ENOSYS = 38

const Operation = {
  forget: 2,
  getattr: 3,
  statfs: 17,
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  interrupt: 36,
  batchForget: 42,
} as const

/** What belongs to the reply; undefined for what is not served. */
function replyTo(operation: number): Buffer | undefined {
  switch (operation) {
    case Operation.init: {
      const body = Buffer.alloc(64)
      body.writeUInt32LE(7, 0)
      body.writeUInt32LE(31, 4)
      // Bytes of one write, at least.
      body.writeUInt32LE(4096, 20)
      return body
    }
    case Operation.getattr: {
      const body = Buffer.alloc(104)
      body.writeBigUInt64LE(1n, 16)
      body.writeUInt32LE(0o40755, 76)
      body.writeUInt32LE(2, 80)
      return body
    }
    case Operation.statfs:
      return Buffer.alloc(80)
    case Operation.opendir:
      return Buffer.alloc(16)
    case Operation.readdir:
    case Operation.releasedir:
      return Buffer.alloc(0)
    default:
      return undefined
  }
}

const SILENT: ReadonlySet<number> = new Set([Operation.forget, Operation.interrupt, Operation.batchForget])
const request = Buffer.alloc(REQUEST_BYTES)

function serveOne(): void {
  readSync(FD, request)
  const operation = request.readUInt32LE(4)
  if (SILENT.has(operation)) return
  const body = replyTo(operation)
  const header = Buffer.alloc(REPLY_HEADER)
  header.writeUInt32LE(REPLY_HEADER + (body?.length ?? 0), 0)
  header.writeInt32LE(body === undefined ? -ENOSYS : 0, 4)
  header.writeBigUInt64LE(request.readBigUInt64LE(8), 8)
  writeSync(FD, Buffer.concat([header, body ?? Buffer.alloc(0)]))
}

try {
  for (;;) serveOne()
} catch (error) {
  // The end of the mount.
  if (!(error instanceof Error && 'code' in error && error.code === 'ENODEV')) throw error
}
