import { Kind } from '@hotpath/model'
import { componentsOf, type Entry, type EntryTime } from '../entry.js'
import { type Random, randomOf } from './random.js'
import type { QueryVocabulary } from './random-query.js'

const WORDS = [
  ...[
    'readme',
    'README',
    'main',
    'src',
    'lib',
    'node_modules',
    'Photo 2024',
    'café',
    'cafe\u0301',
    'Straße',
    'STRASSE',
    'ΟΔΟΣ',
  ],
  ...['a', 'b', 'ab', 'x-y', 'copy(1)', '100%', 'ガ', '文書', 'ﬁ', 'İ', 'o\\o', "it's", 'say "hi"', 'a!b', '[x]'],
]
const VOLUMES = ['8A3f-01', '8a3f-02', 'list:x']
const EXTENSIONS = ['', '', '.txt', '.TXT', '.c', '.jpg', '.tar.gz', '.', '.é']

/**
 * Random entries, their directories among them, with awkward names, unknown sizes and times, and the vocabulary for
 * queries about them. No two have the same path.
 *
 * @param now seconds since 1970; half of the times are within two months of it
 */
export function randomEntries(
  seed: number,
  count: number,
  now: number,
): { entries: Entry[]; vocabulary: QueryVocabulary } {
  const random = randomOf(seed)
  const encoder = new TextEncoder()
  const directories = random.chance(0.5) ? [''] : ['', 'C:']
  const seen = new Set<string>()
  const entries: Entry[] = []
  while (entries.length < count) {
    const isDirectory = random.chance(0.2)
    const path = `${random.pick(directories)}/${random.pick(WORDS)}${isDirectory ? '' : random.pick(EXTENSIONS)}`
    if (seen.has(path) || path.length > 200) {
      // Makes room where the words run out.
      directories.push(`${random.pick(directories)}/${random.pick(WORDS)}${directories.length}`)
      continue
    }
    seen.add(path)
    if (isDirectory) directories.push(path)
    const kind = isDirectory ? Kind.directory : random.pick([Kind.file, Kind.file, Kind.file, Kind.symlink, Kind.other])
    const size = random.chance(0.1) ? Number.NaN : Math.floor(2 ** (random.below(300) / 10)) - 1
    const components = componentsOf(encoder.encode(path))
    entries.push({
      components,
      kind,
      size,
      modified: randomTime(random, now),
      created: randomTime(random, now),
      accessed: randomTime(random, now),
      changed: randomTime(random, now),
      attributes: random.pick([0, 0, 1, 2, 3, 6, 32, 33, 128, 1024]),
      volume: random.pick(VOLUMES),
      ...randomUse(random, now),
    })
  }
  const known = (values: number[]) => values.filter(value => !Number.isNaN(value))
  const vocabulary: QueryVocabulary = {
    paths: [...seen],
    sizes: known(entries.map(entry => entry.size)),
    seconds: known(entries.map(entry => entry.modified!.seconds)),
    volumes: VOLUMES,
    opened: entries.flatMap(entry => (entry.use ? [entry.use.opened] : [])),
  }
  return { entries, vocabulary }
}

/** Half of the nodes were opened, some of them so long ago that they are cold. */
function randomUse(random: Random, now: number): Pick<Entry, 'use'> {
  if (random.chance(0.5)) return {}
  const hot = random.chance(0.2) ? 0 : random.below(40) / 8
  return { use: { runs: 1 + random.below(4), opened: now - random.below(60 * 86_400), hot } }
}

function randomTime(random: Random, now: number): EntryTime {
  if (random.chance(0.1)) return { seconds: Number.NaN, ticks: 0 }
  const ageSeconds = random.below(random.chance(0.5) ? 60 * 86_400 : 20 * 365 * 86_400)
  return { seconds: now - ageSeconds, ticks: random.chance(0.5) ? 0 : random.below(10_000_000) }
}
