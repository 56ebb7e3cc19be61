import type { Engine } from '@hotpath/engine'
import { InvalidInputError } from '@hotpath/model'
import type { BenchContext } from '../bench-context.js'
import { openEngine } from '../engine-index.js'
import { formatCount, formatMs } from '../format.js'
import { runFzf } from '../peers/fzf.js'
import { findProgram } from '../peers/program.js'
import { type BenchRow, type Detail, type Measured, type Peer, row } from '../report.js'
import { median, spreadOf } from '../statistics.js'

const PAGE_ROWS = 100
const WORST = 5
/** Queries that fzf is asked: each reads the whole list. */
const FZF_QUERIES = 5
/** By heat, with no opens: by relevance. */
const RELEVANCE = { column: 'hot', descending: false } as const

interface FuzzyTimes {
  readonly text: string
  readonly ms: number
  readonly total: number
  readonly fuzzyTotal: number
}

/** What one asks with mistakes, page and both totals, and the order by relevance without mistakes, the page alone. */
export async function fuzzyRows(context: BenchContext): Promise<BenchRow[]> {
  const { store } = await context.engineIndex()
  const { queries } = await context.corpus()
  const opened = await openEngine(store)
  const { engine } = opened
  try {
    context.log('fuzzy queries in the engine')
    const repeats = context.scale(5, 2)
    const words = wordsOf(queries.map(({ text }) => text))
    const one = words.filter(word => word.length < 8).map(swapped)
    const two = words.filter(word => word.length >= 8).map(word => withoutOne(swapped(word)))
    const oneTimes = one.map(text => timed(engine, text, repeats))
    const twoTimes = two.map(text => timed(engine, text, repeats))
    const plain = [...new Set(queries.map(({ text }) => text).filter(text => /^[\p{L}\p{N}._-]+$/u.test(text)))]
    const pages = plain.map(text => ({ text, ms: pageMs(engine, text, repeats) }))
    return [
      fuzzyRow('fuzzy.one-edit', 'one edit: page and both totals', oneTimes, undefined, []),
      fuzzyRow('fuzzy.two-edits', 'two edits: page and both totals', twoTimes, 30, [await fzfPeer(context, two)]),
      relevanceRow(pages),
    ]
  } finally {
    await opened.close()
  }
}

/** Words of queries that can have a mistake, each once. */
function wordsOf(texts: readonly string[]): string[] {
  const words = texts.flatMap(text => text.toLowerCase().match(/[a-z]+/g) ?? [])
  return [...new Set(words)].filter(word => word.length >= 5 && word.length <= 14).sort()
}

/** Two neighbours in the middle change places. */
function swapped(word: string): string {
  const at = Math.floor(word.length / 2) - 1
  return `${word.slice(0, at)}${word[at + 1]}${word[at]}${word.slice(at + 2)}`
}

/** The letter before the last is missing. */
function withoutOne(word: string): string {
  return `${word.slice(0, -2)}${word.slice(-1)}`
}

function search(engine: Engine, text: string, fuzzy: boolean) {
  const request = {
    text,
    limit: PAGE_ROWS,
    offset: 0,
    sort: RELEVANCE,
    match: 'name',
    nowMs: Date.now(),
    fuzzy,
    noCache: true,
  } as const
  const result = engine.search(request)
  if ('kind' in result) throw new InvalidInputError('query', 'a query', `${text}: ${result.message}`)
  return result
}

/** The median of several times after one that warms. */
function timed(engine: Engine, text: string, repeats: number): FuzzyTimes {
  const { total, fuzzyTotal = 0 } = search(engine, text, true)
  const times = Array.from({ length: repeats }, () => {
    const startedMs = performance.now()
    search(engine, text, true)
    return performance.now() - startedMs
  })
  return { text, ms: median(times), total, fuzzyTotal }
}

function pageMs(engine: Engine, text: string, repeats: number): number {
  return median(Array.from({ length: repeats }, () => search(engine, text, false).pageMs))
}

function measured(values: readonly number[]): Measured {
  const { p50, p99, max, count } = spreadOf(values)
  return {
    text: `p50 ${formatMs(p50)}, p99 ${formatMs(p99)}, max ${formatMs(max)}`,
    figures: { p50Ms: p50, p99Ms: p99, maxMs: max, queries: count },
  }
}

function fuzzyRow(
  id: string,
  what: string,
  times: readonly FuzzyTimes[],
  limitMs: number | undefined,
  peers: readonly Peer[],
): BenchRow {
  const ours = measured(times.map(({ ms }) => ms))
  const p99 = ours.figures.p99Ms ?? Number.NaN
  const budget = limitMs === undefined ? {} : { budget: { text: `p99 ≤ ${limitMs} ms`, met: p99 <= limitMs } }
  const notes = [`${times.length} words of the query mix with mistakes, sorted by relevance`]
  return row({ id, what, ours, ...budget, peers, notes, details: [worstTable(times)] })
}

function relevanceRow(pages: readonly { text: string; ms: number }[]): BenchRow {
  const ours = measured(pages.map(({ ms }) => ms))
  return row({
    id: 'fuzzy.relevance',
    what: `first ${PAGE_ROWS} by relevance, no mistakes`,
    ours,
    budget: { text: 'p99 ≤ 5 ms', met: (ours.figures.p99Ms ?? Number.NaN) <= 5 },
    notes: [`${pages.length} single terms of the query mix`],
    details: [worstTable(pages.map(({ text, ms }) => ({ text, ms, total: Number.NaN, fuzzyTotal: Number.NaN })))],
  })
}

function worstTable(times: readonly FuzzyTimes[]): Detail {
  const worst = [...times].sort((a, b) => b.ms - a.ms).slice(0, WORST)
  const count = (value: number): string => (Number.isNaN(value) ? '' : formatCount(value))
  return {
    title: `the ${worst.length} slowest`,
    columns: [
      { title: 'query', width: 30 },
      { title: 'time', width: 9, align: 'right' },
      { title: 'hits', width: 11, align: 'right' },
      { title: 'fuzzy hits', width: 11, align: 'right' },
    ],
    rows: worst.map(({ text, ms, total, fuzzyTotal }) => [text, formatMs(ms), count(total), count(fuzzyTotal)]),
  }
}

/** The same words to fzf, which reads the list each time. */
async function fzfPeer(context: BenchContext, words: readonly string[]): Promise<Peer> {
  const program = findProgram('fzf')
  if (program === undefined) return { name: 'fzf --filter', text: 'fzf is not installed' }
  const { pathsFile } = await context.corpus()
  const times: number[] = []
  for (const word of words.slice(0, FZF_QUERIES)) times.push((await runFzf(program, word, { file: pathsFile })).wallMs)
  const { p50, max } = spreadOf(times)
  return {
    name: 'fzf --filter',
    text: `p50 ${formatMs(p50)}, max ${formatMs(max)} (${times.length} words, whole process, paths)`,
    figures: { p50Ms: p50, maxMs: max, queries: times.length },
  }
}
