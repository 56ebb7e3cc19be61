import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { ReadRequest } from '../stream.js'

export const FIXTURES = ['clusters-of-512', 'clusters-of-4096', 'records-of-4096', 'fragmented'] as const

/** A real volume of which only some parts are kept (`fixtures/README.md`). */
export interface Fixture {
  readonly size: number
  /** What is kept: position and bytes. */
  readonly parts: readonly { readonly offset: number; readonly bytes: Uint8Array }[]
  /** Reads what is kept; the rest is zeros. */
  read(request: ReadRequest): Uint8Array
  /** Lines of the reference reader: path, bytes, modified (FILETIME), record, sequence, directory. */
  readonly truth: readonly string[]
}

/** Lines of the reference reader for alternate streams of the volumes that have any. */
export function readStreams(name: string): readonly string[] {
  const text = readFileSync(new URL(`../../fixtures/${name}.streams`, import.meta.url), 'latin1')
  return text.trimEnd().split('\n')
}

export function readFixture(name: string): Fixture {
  const all = gunzipSync(readFileSync(new URL(`../../fixtures/${name}.gz`, import.meta.url)))
  const headBytes = all.readUInt32LE(0)
  const head: { size: number; parts: [number, number][]; truth: number } = JSON.parse(
    all.subarray(4, 4 + headBytes).toString(),
  )
  let at = 4 + headBytes
  const parts = head.parts.map(([offset, length]) => {
    at += length
    return { offset, bytes: all.subarray(at - length, at) }
  })
  return {
    size: head.size,
    parts,
    truth: all
      .subarray(at, at + head.truth)
      .toString('latin1')
      .trimEnd()
      .split('\n'),
    read({ offset, length }) {
      const found = new Uint8Array(Math.max(0, Math.min(length, head.size - offset)))
      for (const part of parts) {
        const from = Math.max(offset, part.offset)
        const to = Math.min(offset + found.length, part.offset + part.bytes.length)
        if (from < to) found.set(part.bytes.subarray(from - part.offset, to - part.offset), from - offset)
      }
      return found
    },
  }
}
