import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { type Client, connect } from '@hotpath/client'
import { CancelledError } from '@hotpath/model'
import { type LoadPlan, type LoadResult, QUERIES_PER_SECOND } from './load-plan.js'
import { pickNeedle, prefixesOf, randomNumbers } from './needles.js'

/** Of five questions four are of so few. */
const REPEATED_NEEDLES = 40
/** Other limits make other questions of the same needles, of the same cost: hardly any of them is asked twice before it is forgotten. */
const OTHER_LIMITS = 10
const PAGE_ROWS = 50
/** Somebody who types fast, and looks at the hits of each word. */
const LETTER_MS = { least: 60, most: 180 }
const LOOK_MS = { least: 200, most: 800 }

/** A process of clients: takes a plan on its standard input, says when it is connected, begins at the next line, and prints what became of it. */
async function main(): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  const nextLine = async (): Promise<string> => (await lines.next()).value ?? ''
  const plan: LoadPlan = JSON.parse(await nextLine())
  const result = { latenciesMs: [] as number[], cached: 0, replaced: 0, errors: [] as string[] }
  const clients: Client[] = []
  try {
    for (let i = 0; i < plan.clients; i++) clients.push(await connect({ dataDir: plan.dataDir }))
    process.stdout.write('connected\n')
    await nextLine()
    const run = plan.kind === 'mixed' ? askSteadily : type
    const untilMs = performance.now() + plan.durationMs
    await Promise.all(clients.map((client, at) => run(client, plan, randomNumbers(plan.seed + at), untilMs, result)))
  } finally {
    for (const client of clients) await client.close()
  }
  process.stdout.write(`${JSON.stringify(result satisfies LoadResult)}\n`)
}

type Result = { -readonly [Key in keyof LoadResult]: LoadResult[Key] } & { latenciesMs: number[]; errors: string[] }
type Ask = Parameters<Client['search']>[0]

/** So many a second, whether the last one was answered or not. */
async function askSteadily(
  client: Client,
  { needles }: LoadPlan,
  random: () => number,
  untilMs: number,
  result: Result,
): Promise<void> {
  const running = new Set<Promise<void>>()
  const startedMs = performance.now() + (random() * 1_000) / QUERIES_PER_SECOND
  for (let count = 0; ; count++) {
    const dueMs = startedMs + (count * 1_000) / QUERIES_PER_SECOND
    if (dueMs >= untilMs) break
    const waitMs = dueMs - performance.now()
    if (waitMs > 1) await delay(waitMs)
    const isRepeated = random() < 0.8
    const query =
      needles[Math.floor(random() * (isRepeated ? Math.min(REPEATED_NEEDLES, needles.length) : needles.length))]
    const limit = isRepeated ? PAGE_ROWS : PAGE_ROWS + 1 + Math.floor(random() * OTHER_LIMITS)
    const asked = measure(client, { query: query ?? '', limit }, dueMs, result).finally(() => running.delete(asked))
    running.add(asked)
  }
  await Promise.all(running)
}

/** Word after word, a search with each letter; a newer one replaces the older one. */
async function type(
  client: Client,
  { needles }: LoadPlan,
  random: () => number,
  untilMs: number,
  result: Result,
): Promise<void> {
  const running = new Set<Promise<void>>()
  const pause = ({ least, most }: { least: number; most: number }) => delay(least + random() * (most - least))
  await delay(random() * 500)
  while (performance.now() < untilMs) {
    for (const query of prefixesOf(pickNeedle(needles, random))) {
      const ask: Ask = { query, limit: PAGE_ROWS, replaces: 'box' }
      const asked = measure(client, ask, performance.now(), result).finally(() => running.delete(asked))
      running.add(asked)
      await pause(LETTER_MS)
    }
    await pause(LOOK_MS)
  }
  await Promise.all(running)
}

async function measure(client: Client, ask: Ask, dueMs: number, result: Result): Promise<void> {
  try {
    const { cached } = await client.search(ask)
    result.latenciesMs.push(performance.now() - dueMs)
    if (cached) result.cached++
  } catch (error) {
    if (error instanceof CancelledError && ask.replaces !== undefined) result.replaced++
    else result.errors.push(error instanceof Error ? error.message : String(error))
  }
}

await main()
