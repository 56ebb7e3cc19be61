import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '@hotpath/client'
import { UnavailableError } from '@hotpath/model'

/** When (performance.now) a query has that many hits. @throws UnavailableError if it does not come to that in time */
export async function totalBecomes(client: Client, query: string, total: number, giveUpMs: number): Promise<number> {
  const deadlineMs = performance.now() + giveUpMs
  for (;;) {
    const result = await client.search({ query, countOnly: true })
    const now = performance.now()
    if (result.total === total) return now
    if (now > deadlineMs)
      throw new UnavailableError(`${result.total} of ${total} hits of ${query} after ${giveUpMs} ms`)
    await delay(1)
  }
}
