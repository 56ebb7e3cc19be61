import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { SmallSystem } from '../testing/small-system.js'

const system = new SmallSystem()

afterAll(() => system.stop())

/** What passes through a process, once it is tapped. */
async function tapped(stage: string): Promise<{ child: ChildProcess; text(): string }> {
  const [command, ...argv] = [...system.program, 'tap', stage]
  const child = spawn(command!, argv, { env: system.environment, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (data: Buffer) => {
    text += data.toString()
  })
  return { child, text: () => text }
}

test('the traffic of each stage is decoded', async () => {
  mkdirSync(join(system.root, 'a'))
  await system.finds('', 2)
  const expected = {
    gateway: /^\d+\.\d{6} > gateway #\d+ searchRequest .*"tapped"/m,
    store: /^\d+\.\d{6} < store-ingest barrier .*id=/m,
    watcher: /^\d+\.\d{6} < store-ingest changeBatch .*"tapped"/m,
    scanner: /^\d+\.\d{6} > store-ingest scanCommand .*root=/m,
  }
  const taps = await Promise.all(
    Object.entries(expected).map(async ([stage, line]) => ({ ...(await tapped(stage)), line })),
  )
  try {
    // Until all listen: the file is made again and again.
    const isSeen = async () => {
      writeFileSync(join(system.root, 'tapped'), String(performance.now()))
      await system.run(['search', 'tapped', '--wait-clock'])
      await system.run(['rescan'])
      return taps.filter(({ text, line }) => !line.test(text())).map(({ line }) => line)
    }
    await expect.poll(isSeen, { timeout: 30_000, interval: 200 }).toEqual([])
    for (const { text } of taps) {
      expect(text()).not.toContain('unreadable')
      expect(text()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    }
  } finally {
    for (const { child } of taps) child.kill('SIGTERM')
    const codes = await Promise.all(taps.map(({ child }) => once(child, 'exit')))
    expect(codes.map(([code]) => code)).toEqual([0, 0, 0, 0])
  }
})
