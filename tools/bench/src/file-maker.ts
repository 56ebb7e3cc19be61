import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const DIRECTORY_FILES = 500
/** Files made without a look at the clock: a timer is late by a millisecond. */
const BURST_MS = 5

/**
 * `node file-maker.js FOLDER PREFIX RATE SECONDS`: makes empty files at a rate, in directories of 500. A process of its own, because
 * one cannot make ten thousand files a second and measure what others see of them. Prints when the last one was made (Unix ms).
 */
async function main([folder, prefix, rate, seconds]: readonly string[]): Promise<void> {
  const count = Number(rate) * Number(seconds)
  const startedMs = performance.now()
  let made = 0
  while (made < count) {
    const due = Math.min(count, Math.ceil(((performance.now() - startedMs) * Number(rate)) / 1000))
    for (; made < due; made++) {
      const directory = join(folder!, `${prefix}-${Math.floor(made / DIRECTORY_FILES)}`)
      if (made % DIRECTORY_FILES === 0) mkdirSync(directory, { recursive: true })
      closeSync(openSync(join(directory, `${prefix}${made}.txt`), 'w'))
    }
    await delay(BURST_MS)
  }
  process.stdout.write(
    JSON.stringify({ endedMs: performance.timeOrigin + performance.now(), tookMs: performance.now() - startedMs }),
  )
}

await main(process.argv.slice(2))
