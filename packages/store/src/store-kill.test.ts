import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Random } from '@hotpath/testing'
import { expect, it } from 'vitest'
import { KillHistory, MOST_UNACKNOWLEDGED } from './testing/kill-history.js'

/** Each is a new process, which takes half a second to load. */
const KILLS = process.env.KILLS ? Number(process.env.KILLS) : process.env.SOAK ? 1_000 : 100
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000)
const WRITER = fileURLToPath(new URL('../dist/testing/kill-writer.js', import.meta.url))
/** What a process does before it has opened the store, and for how long it then lives, at most. */
const LIFE_MS = 250
const START_MS = 700

interface Life {
  /** What it found, if it lived to say so. */
  readonly opened: { readonly digest: string; readonly damaged: number } | undefined
  /** The last step of which it said that it is durable. */
  readonly acknowledged: number
}

/** Lets a writer run until it is killed. */
function liveAndDie(directory: string, acknowledged: number, random: Random): Promise<Life> {
  return new Promise((resolve, reject) => {
    const args = [WRITER, directory, `${SEED}`, `${acknowledged}`]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    const kill = (): void => void child.kill('SIGKILL')
    // One in six dies while it opens what the one before has left.
    let timer = random.chance(1 / 6) ? setTimeout(kill, random.below(START_MS)) : undefined
    child.stdout.on('data', (data: Buffer) => {
      text += data.toString()
      if (text.includes('\n')) timer ??= setTimeout(kill, random.below(LIFE_MS))
    })
    child.on('error', reject)
    child.on('close', (_code, signal) => {
      clearTimeout(timer)
      if (signal !== 'SIGKILL') reject(new Error(`the writer ended: ${text}`))
      const [first, ...steps] = text.split('\n').slice(0, -1)
      const [, digest, damaged] = /^open ([0-9a-f]+) ([0-9]+)$/.exec(first ?? '') ?? []
      resolve({
        opened: digest === undefined ? undefined : { digest, damaged: Number(damaged) },
        acknowledged: Number(steps.at(-1) ?? acknowledged),
      })
    })
  })
}

it(`loses nothing that it acknowledged in ${KILLS} kills, and invents nothing`, {
  timeout: process.env.SOAK ? 7_200_000 : 600_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'hotpath-kill-'))
  const random = new Random(SEED)
  const history = new KillHistory(SEED)
  const digests = [history.digest()]
  const startedAt = performance.now()
  try {
    let acknowledged = 0
    let checked = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const where = `SEED=${SEED}, kill ${kill} after step ${acknowledged}`
      const life = await liveAndDie(directory, acknowledged, random)
      while (history.steps < life.acknowledged + MOST_UNACKNOWLEDGED) {
        history.next()
        digests.push(history.digest())
      }
      if (life.opened) {
        checked++
        expect(life.opened.damaged, where).toBe(0)
        expect(digests.slice(acknowledged, acknowledged + MOST_UNACKNOWLEDGED + 1), where).toContain(life.opened.digest)
      }
      acknowledged = life.acknowledged
    }
    expect(checked).toBeGreaterThan(KILLS / 2)
    expect(acknowledged).toBeGreaterThan(KILLS)
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    console.info(`${KILLS} kills, ${checked} openings compared, ${acknowledged} steps, ${seconds} s, SEED=${SEED}`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
