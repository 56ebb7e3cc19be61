import { createReadStream, existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { InvalidInputError } from '@hotpath/model'
import type { BenchQuery } from '../queries.js'
import { readQueries } from '../queries.js'
import { SAMPLE_PATHS, sampleQueries } from './query-sampler.js'
import { writeSyntheticCorpus } from './synthetic-corpus.js'

/** What is indexed: the same entries as a list for us and as paths for `plocate-build -p`. */
export interface Corpus {
  readonly name: string
  /** EFU list with sizes and times. */
  readonly listFile: string
  /** One path on each line, directories with a slash at the end. */
  readonly pathsFile: string
  readonly entries: number
  readonly directories: number
  /** Of the list. */
  readonly listBytes: number
  readonly queries: readonly BenchQuery[]
}

/** Queries that are written down in the repository fit the paths of Debian's packages. */
const WRITTEN_QUERIES = new URL('../../../../docs/bench-queries.tsv', import.meta.url)
const SEED = 20_240_501

/** A folder that holds `list.efu` and `paths.txt`. @throws InvalidInputError if it does not */
export async function openCorpus(folder: string): Promise<Corpus> {
  const listFile = resolve(folder, 'list.efu')
  const pathsFile = resolve(folder, 'paths.txt')
  for (const file of [listFile, pathsFile]) {
    if (!existsSync(file)) throw new InvalidInputError('--corpus', 'a folder with list.efu and paths.txt', folder)
  }
  const { lines, directories } = await countPaths(pathsFile)
  const { bytes } = await countPaths(listFile)
  return {
    name: 'file list of a folder',
    listFile,
    pathsFile,
    entries: lines,
    directories,
    listBytes: bytes,
    queries: readQueries(WRITTEN_QUERIES),
  }
}

/**
 * Makes one in `folder`: the same for the same number of entries, on any machine.
 * @param distinct no name occurs twice
 */
export async function makeCorpus(
  folder: string,
  entries: number,
  queryCount: number,
  distinct = false,
): Promise<Corpus> {
  mkdirSync(folder, { recursive: true })
  const listFile = join(folder, 'list.efu')
  const pathsFile = join(folder, 'paths.txt')
  const written = await writeSyntheticCorpus({
    listFile,
    pathsFile,
    entries,
    seed: SEED,
    samplePaths: SAMPLE_PATHS,
    distinct,
  })
  return {
    name: `synthetic, seed ${SEED}${distinct ? ', all names distinct' : ''}`,
    listFile,
    pathsFile,
    entries: written.entries,
    directories: written.directories,
    listBytes: written.listBytes,
    queries: sampleQueries(written.sample, SEED, queryCount),
  }
}

const LF = 0x0a
const SLASH = 0x2f

async function countPaths(file: string): Promise<{ lines: number; directories: number; bytes: number }> {
  let lines = 0
  let directories = 0
  let bytes = 0
  let last = 0
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    if (!(chunk instanceof Uint8Array)) throw new InvalidInputError('chunk', 'bytes', typeof chunk)
    bytes += chunk.length
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) {
      lines++
      if ((at === 0 ? last : chunk[at - 1]) === SLASH) directories++
    }
    last = chunk[chunk.length - 1] ?? last
  }
  return { lines, directories, bytes }
}
