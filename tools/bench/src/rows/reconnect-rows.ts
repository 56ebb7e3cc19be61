import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { BenchContext } from '../bench-context.js'
import { formatMs } from '../format.js'
import { type BenchRow, row } from '../report.js'

const GATEWAY = '/gateway/bundle/main.js'
const BUDGET_MS = 1_000
/** Beside the time that is measured. */
const GIVE_UP_MS = 20_000

/** A client whose gateway is killed: until its next search is answered, and until its subscription is told where things stand. */
export async function reconnectRows(context: BenchContext): Promise<BenchRow[]> {
  const { client, system } = await context.system()
  const gateway = system.pids.find(pid => commandOf(pid).includes(GATEWAY))
  if (gateway === undefined) throw new Error('no gateway runs')
  context.log('a gateway that is killed')
  const query = 'a'
  let resumed = (_atMs: number): void => {}
  const told = new Promise<number>(resolve => {
    resumed = resolve
  })
  let isKilled = false
  const subscription = await client.live(
    { query, limit: 10 },
    { onHits() {}, onChange() {}, onResync: () => (isKilled ? resumed(performance.now()) : undefined) },
  )
  try {
    await client.search({ query, limit: 10 })
    isKilled = true
    const killedMs = performance.now()
    process.kill(gateway, 'SIGKILL')
    // Asked at once: it waits for the connection, or is asked again when that is lost.
    await client.search({ query, limit: 10, noCache: true, timeoutMs: GIVE_UP_MS })
    const answeredMs = performance.now() - killedMs
    const late = delay(GIVE_UP_MS, Number.NaN, { ref: false })
    const resumedMs = (await Promise.race([told, late])) - killedMs
    return [
      row({
        id: 'reconnect',
        what: 'the gateway is killed: first answer to a client that was connected',
        ours: { text: formatMs(answeredMs), figures: { answeredMs, resumedMs } },
        budget: { text: `≤ ${formatMs(BUDGET_MS)}`, met: answeredMs <= BUDGET_MS && resumedMs <= BUDGET_MS },
        notes: [`its subscription was told where things stand after ${formatMs(resumedMs)}`],
      }),
    ]
  } finally {
    subscription.close()
    await subscription.ended
  }
}

/** Empty if the process has ended. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return ''
  }
}
