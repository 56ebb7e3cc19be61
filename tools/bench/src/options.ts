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
  /** Every name of the synthetic corpus is distinct; budgets do not stand for that. */
  readonly distinct: boolean
  /** Largest of the synthetic trees whose growth is measured; undefined: it is not. */
  readonly growth: number | undefined
  /** Rows or families of rows; undefined: all. */
  readonly only: readonly string[] | undefined
  /** Leave corpus and indexes on the disk. */
  readonly keep: boolean
  /** Directory tree that is walked. */
  readonly tree: string
  readonly help: boolean
}

/** What `--only` takes, in the order in which it is measured. */
export const FAMILY_NAMES = [
  'scan',
  'build',
  'disk',
  'tree',
  'query',
  'worst',
  'cold',
  'deep',
  'compact',
  'fuzzy',
  'rank',
  'memory',
  'socket',
  'repeat',
  'load',
  'reconnect',
  'cache',
  'start',
  'change',
  'storm',
  'repair',
  'watch',
  'idle',
  'follow',
  'opens',
  'rename',
  'ntfs',
  'grow',
] as const

const SMOKE_ENTRIES = 20_000
const DEFAULT_ENTRIES = 1_000_000
const MAX_ENTRIES = 50_000_000
const DEFAULT_GROWTH = 10_000_000

export const USAGE = `npm run bench -- [flags]

  --smoke         ${SMOKE_ENTRIES.toLocaleString('en-US')} entries and few repetitions: a minute or two
  --corpus DIR    index DIR/list.efu (EFU); DIR/paths.txt has the same paths for plocate
  --entries N     entries of the synthetic corpus (default ${DEFAULT_ENTRIES.toLocaleString('en-US')})
  --distinct      no name of the synthetic corpus occurs twice: the worst case, without budgets
  --growth [N]    also build and search synthetic trees of 100,000 entries and more, up to N (default ${DEFAULT_GROWTH.toLocaleString('en-US')})
  --tree DIR      directory tree that is walked (default /usr)
  --only ROW,…    these families alone: ${FAMILY_NAMES.join(', ')}
  --json FILE     write all results to FILE as well
  --keep          leave corpus and indexes where they were made, and say where
`

/** @param workingDirectory relative paths start here. @throws InvalidInputError */
export function parseOptions(argv: readonly string[], workingDirectory: string): BenchOptions {
  const { values } = parseStrictly(withGrowth(argv))
  const entriesText = values.entries
  const smoke = values.smoke ?? false
  const entries = entriesText === undefined ? (smoke ? SMOKE_ENTRIES : DEFAULT_ENTRIES) : Number(entriesText)
  if (!Number.isInteger(entries) || entries < 1_000 || entries > MAX_ENTRIES) {
    throw new InvalidInputError('--entries', `a whole number of 1000 to ${MAX_ENTRIES}`, `${entriesText}`)
  }
  if (values.corpus !== undefined && entriesText !== undefined) {
    throw new InvalidInputError('--entries', 'no --corpus beside it, which has the entries that it has', entriesText)
  }
  if (values.corpus !== undefined && values.distinct) {
    throw new InvalidInputError('--distinct', 'no --corpus beside it, whose names are as they are', 'both')
  }
  const growth = values.growth === undefined ? undefined : Number(values.growth)
  if (growth !== undefined && !(Number.isInteger(growth) && growth >= 1_000 && growth <= MAX_ENTRIES)) {
    throw new InvalidInputError('--growth', `a whole number of 1000 to ${MAX_ENTRIES}`, `${values.growth}`)
  }
  const absolute = (path: string): string => resolve(workingDirectory, path)
  return {
    smoke,
    entries,
    json: values.json === undefined ? undefined : absolute(values.json),
    corpus: values.corpus === undefined ? undefined : absolute(values.corpus),
    distinct: values.distinct ?? false,
    growth,
    only: values.only?.split(',').filter(name => name !== ''),
    keep: values.keep ?? false,
    tree: absolute(values.tree ?? (smoke ? '/usr/share/doc' : '/usr')),
    help: values.help ?? false,
  }
}

/** `--growth` may stand without a number. */
function withGrowth(argv: readonly string[]): string[] {
  return argv.map((argument, i) =>
    argument === '--growth' && !/^\d/.test(argv[i + 1] ?? '') ? `--growth=${DEFAULT_GROWTH}` : argument,
  )
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
        distinct: { type: 'boolean' },
        growth: { type: 'string' },
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
