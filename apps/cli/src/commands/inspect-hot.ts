import { readFileSync } from 'node:fs'
import { DEFAULT_SCORING, HotTable } from '@hotpath/hot-score'
import { CorruptFileError, UnsupportedVersionError } from '@hotpath/model'
import type { Finding } from './finding.js'

/** Reads every checksum of `hot.db`. A record that is being written just now may look damaged: what is read is a copy of a file in use. */
export function verifyHotRecords(file: string): Finding[] {
  const what = 'hot.db'
  let bytes: Uint8Array
  try {
    bytes = readFileSync(file)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
  try {
    const { table, damaged } = HotTable.load(bytes, file, DEFAULT_SCORING)
    if (damaged > 0) return [{ state: 'bad', what, detail: `${damaged} of its places are damaged; they are left out` }]
    return [{ state: 'good', what, detail: `every checksum of ${table.size} records is right` }]
  } catch (error) {
    if (!(error instanceof CorruptFileError || error instanceof UnsupportedVersionError)) throw error
    return [{ state: 'bad', what, detail: error.message }]
  }
}
