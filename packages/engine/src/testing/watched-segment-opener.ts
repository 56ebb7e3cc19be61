import { readFileSync } from 'node:fs'
import { PAGE_SIZE, SegmentReader } from '@hotpath/index-format'
import { createKernels, type Kernels, loadWasm, READ_PAST_BYTES, WASM_PAGE } from '@hotpath/kernels'
import { KernelNameMatcher } from '../kernel-name-matcher.js'
import type { OpenSegment, SegmentOpener } from '../segment-opener.js'

const SCRATCH_BYTES = 4 << 20

/**
 * Opens segments as query workers do, and counts the pages that a search reads: those that were asked for ahead, and those
 * that it comes to unannounced, for each of which it waits for the disk.
 */
export class WatchedSegmentOpener implements SegmentOpener {
  /** Pages that were first touched without having been asked for. */
  waits = 0
  /** Pages that were asked for ahead. */
  asked = 0

  open(file: string): OpenSegment {
    const contents = readFileSync(file)
    const kernels = kernelsFor(contents.length)
    const at = kernels.mappingStart
    kernels.bytes.set(contents, at)
    const bytes = kernels.bytes.subarray(at, at + contents.length)
    const ahead = new Uint8Array(Math.ceil(contents.length / PAGE_SIZE))
    const crc = (_: Uint8Array, start: number, end: number): number => {
      if (ahead[start / PAGE_SIZE] === 0) this.waits++
      return kernels.crc32c({ at: at + start, length: end - start })
    }
    const reader = new SegmentReader(file, bytes, crc, (offset, length) => {
      this.asked += length / PAGE_SIZE
      ahead.fill(1, offset / PAGE_SIZE, (offset + length) / PAGE_SIZE)
    })
    reader.expectTables()
    this.waits = 0
    this.asked = 0
    return {
      reader,
      matchers: {
        d: new KernelNameMatcher(kernels, reader, 'd'),
        f: new KernelNameMatcher(kernels, reader, 'f'),
      },
      close: () => {},
    }
  }
}

function kernelsFor(bytes: number): Kernels {
  const memoryPages = Math.ceil((bytes + READ_PAST_BYTES + SCRATCH_BYTES) / WASM_PAGE) + 8
  return createKernels({ memoryPages, scratchBytes: SCRATCH_BYTES, module: loadWasm() })
}
