import type { Instant } from '@hotpath/client'
import type { Hit } from './hit.js'
import type { HitFormat } from './hit-format.js'

/** FILETIME counts 100 ns from 1601-01-01; Unix time starts this many seconds later. */
const FILETIME_EPOCH_SECONDS = 11_644_473_600n
const FILE_ATTRIBUTE_DIRECTORY = 0x10
const FILE_ATTRIBUTE_REPARSE_POINT = 0x400

/** Everything's file list: `Filename,Size,Date Modified,Date Created,Attributes`, times as FILETIME, paths byte-exact. */
export function efuFormat(): HitFormat {
  return {
    begin: () => 'Filename,Size,Date Modified,Date Created,Attributes\r\n',
    hit: efuRow,
    end: () => '',
  }
}

function efuRow(hit: Hit): Uint8Array {
  const path = Buffer.from(hit.path.buffer, hit.path.byteOffset, hit.path.length)
  const size = hit.type === 'directory' ? '' : (hit.size ?? '')
  const rest = `,${size},${fileTime(hit.modified)},${fileTime(hit.created)},${attributes(hit)}\r\n`
  // latin1 keeps every byte of the path as it is.
  return Buffer.from(`"${path.toString('latin1').replaceAll('"', '""')}"${rest}`, 'latin1')
}

/** FILETIME of a moment; empty where it is unknown or before 1601. */
function fileTime(instant: Instant | undefined): string {
  if (instant === undefined) return ''
  const ticks = (BigInt(instant.seconds) + FILETIME_EPOCH_SECONDS) * 10_000_000n + BigInt(instant.ticks)
  return ticks < 0n ? '' : ticks.toString()
}

function attributes({ type }: Hit): number {
  if (type === 'directory') return FILE_ATTRIBUTE_DIRECTORY
  return type === 'symlink' ? FILE_ATTRIBUTE_REPARSE_POINT : 0
}
