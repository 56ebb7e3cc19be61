import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SegmentReader } from '@hotpath/index-format'
import { Random, ReplicaModel } from '@hotpath/testing'
import { expect, it } from 'vitest'
import { RoaringBitmap32 } from './bitmap.js'
import { openStore } from './open-store.js'

const KILLS = process.env.SOAK ? 300 : 6
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000)
const WRITER = fileURLToPath(new URL('../dist/testing/kill-writer.js', import.meta.url))

/** Runs the writer until it has acknowledged `acks` times, kills it, and returns the last number it acknowledged. */
function runAndKill(directory: string, acks: number): Promise<{ opened: number; acknowledged: number }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WRITER, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', (data: Buffer) => {
      text += data.toString()
      if (text.split('\n').length > acks + 1) child.kill('SIGKILL')
    })
    child.on('error', reject)
    child.on('exit', (_code, signal) => {
      const lines = text.split('\n').slice(0, -1)
      if (signal !== 'SIGKILL' || !lines[0]?.startsWith('open '))
        reject(new Error(`the writer ended: ${signal} ${text}`))
      else resolve({ opened: Number(lines[0].slice(5)), acknowledged: Number(lines.at(-1)?.replace('open ', '')) })
    })
  })
}

it(`loses nothing that it acknowledged in ${KILLS} kills, and invents nothing`, {
  timeout: process.env.SOAK ? 7_200_000 : 600_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'hotpath-kill-'))
  const random = new Random(SEED)
  try {
    let least = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const { opened, acknowledged } = await runAndKill(directory, random.below(60))
      expect(opened, `SEED=${SEED}, kill ${kill}`).toBeGreaterThanOrEqual(least)
      least = acknowledged
    }
    const store = await openStore({ directory })
    const replica = new ReplicaModel(
      file => new SegmentReader(file, readFileSync(file)),
      bytes => RoaringBitmap32.deserialize(bytes, 'portable'),
    )
    replica.apply(store.snapshotOps())
    const found = [...replica.entries('root').keys()].filter(path => path !== 'r')
    expect(found.length, `SEED=${SEED}`).toBeGreaterThanOrEqual(least)
    // A prefix of what was created, without a hole.
    expect(found.sort()).toEqual(Array.from({ length: found.length }, (_, i) => `r/f${i + 1}`).sort())
    expect(store.report.damaged).toEqual([])
    await store.close()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
