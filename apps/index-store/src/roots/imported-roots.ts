import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CorruptFileError, ROOT_KINDS, type RootKind } from '@hotpath/model'
import { NodeFileSystem, publishFile } from '@hotpath/store'

const FILE_NAME = 'imported-roots.json'

/** A root that was added at run time and is to be there after a restart, too. */
export interface ImportedRoot {
  readonly kind: RootKind
  readonly path: string
}

/** Roots added at run time, in `imported-roots.json` of the data directory. @throws CorruptFileError */
export function readImportedRoots(dataDir: string): ImportedRoot[] {
  const file = join(dataDir, FILE_NAME)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new CorruptFileError(file, 0, 'JSON', 'something else', { cause })
  }
  if (!Array.isArray(value) || !value.every(isImportedRoot)) {
    throw new CorruptFileError(file, 0, 'a list of roots', text.slice(0, 80))
  }
  return value
}

function isImportedRoot(value: unknown): value is ImportedRoot {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('path' in value)) return false
  return ROOT_KINDS.some(kind => kind === value.kind) && typeof value.path === 'string'
}

/** Replaces the file in one step. */
export async function writeImportedRoots(dataDir: string, roots: readonly ImportedRoot[]): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(roots, undefined, 2)}\n`)
  await publishFile(new NodeFileSystem(), dataDir, FILE_NAME, bytes)
}
