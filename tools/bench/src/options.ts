import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { InvalidInputError } from '@hotpath/model'

export interface BenchOptions {
  /** Small numbers everywhere: shows that all rows work, within a minute. */
  readonly smoke: boolean
  /** File for all results as JSON. */
  readonly json: string | undefined
  /** Of a synthetic corpus. */
  readonly entries: number
  /** Folder with `list.efu` and `paths.txt`; undefined: a synthetic corpus. */
  readonly corpus: string | undefined
  /** Rows or families of rows; undefined: all. */
  readonly only: readonly string[] | undefined
  /** Leave corpus and indexes on the disk. */
  readonly keep: boolean
  /** Directory tree that is walked. */
  readonly tree: string
  readonly help: boolean
}

const SMOKE_ENTRIES = 20_000
const DEFAULT_ENTRIES = 1_000_000
const MAX_ENTRIES = 50_000_000

export const USAGE = `npm run bench -- [flags]

  --smoke         ${SMOKE_ENTRIES.toLocaleString('en-US')} entries and few repetitions: under a minute
  --corpus DIR    index DIR/list.efu (EFU); DIR/paths.txt has the same paths for plocate
  --entries N     entries of the synthetic corpus (default ${DEFAULT_ENTRIES.toLocaleString('en-US')})
  --tree DIR      directory tree that is walked (default /usr)
  --only ROW,…    these rows or families alone: build, disk, memory, query, repeat, start, scan, change
  --json FILE     write all results to FILE as well
  --keep          leave corpus and indexes where they were made, and say where
`

/** @param workingDirectory relative paths start here. @throws InvalidInputError */
export function parseOptions(argv: readonly string[], workingDirectory: string): BenchOptions {
  const { values } = parseStrictly(argv)
  const entriesText = values.entries
  const smoke = values.smoke ?? false
  const entries = entriesText === undefined ? (smoke ? SMOKE_ENTRIES : DEFAULT_ENTRIES) : Number(entriesText)
  if (!Number.isInteger(entries) || entries < 1_000 || entries > MAX_ENTRIES) {
    throw new InvalidInputError('--entries', `a whole number of 1000 to ${MAX_ENTRIES}`, `${entriesText}`)
  }
  if (values.corpus !== undefined && entriesText !== undefined) {
    throw new InvalidInputError('--entries', 'no --corpus beside it, which has the entries that it has', entriesText)
  }
  const absolute = (path: string): string => resolve(workingDirectory, path)
  return {
    smoke,
    entries,
    json: values.json === undefined ? undefined : absolute(values.json),
    corpus: values.corpus === undefined ? undefined : absolute(values.corpus),
    only: values.only?.split(',').filter(name => name !== ''),
    keep: values.keep ?? false,
    tree: absolute(values.tree ?? (smoke ? '/usr/share' : '/usr')),
    help: values.help ?? false,
  }
}

function parseStrictly(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        smoke: { type: 'boolean' },
        json: { type: 'string' },
        entries: { type: 'string' },
        corpus: { type: 'string' },
        only: { type: 'string' },
        keep: { type: 'boolean' },
        tree: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new InvalidInputError('arguments', 'flags of --help', error instanceof Error ? error.message : String(error))
  }
}
