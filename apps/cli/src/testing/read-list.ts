import { ListParser } from '@hotpath/file-list'
import { KIND_STUB } from '@hotpath/model'

/** What a file list says, as the scanner would read it. */
export function readList(bytes: Buffer) {
  const parser = new ListParser({ format: 'auto' })
  const batches = [...parser.push(bytes), ...parser.end()]
  const names: Buffer[] = []
  for (const batch of batches) {
    for (let i = 0; i < batch.count; i++) {
      if (batch.kind[i]! & KIND_STUB) continue
      names.push(Buffer.from(batch.names.subarray(batch.nameOffsets[i], batch.nameOffsets[i + 1])))
    }
  }
  return { summary: parser.summary, names, sizes: batches.flatMap(batch => [...batch.size]) }
}
