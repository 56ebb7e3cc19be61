import { PassThrough } from 'node:stream'
import { UnavailableError } from '@hotpath/model'
import { expect, test } from 'vitest'
import type { StageReport } from '../stage-reports.js'
import { commandTests } from '../testing/commands.js'
import { FakeIndex } from '../testing/fake-index.js'

const { hotpath } = commandTests()

test('status for people and for programs', async () => {
  const { out, code } = await hotpath(['status'], new FakeIndex([]))
  expect(code).toBe(0)
  expect(out).toContain('hotpath 0.1.0: live, a part is missing, 0 ms behind, 7 directories to read again\n')
  expect(out).toContain('  to be read again: /home/\\x1bdirty\n')
  expect(out).toContain('1,234 entries in 1 segment, 29.3 KB, 24.3 bytes each, log 10 B\n')
  expect(out).toContain(
    '\nthe disk is full: searches go on, changes are kept back until there is room (no room\\x07)\n',
  )
  expect(out).toContain('  /home/\\x07me: 1,234 entries, live (fanotify), not complete, first scan\n')
  expect(out).toContain('    scanning: 10 entries, /a\\x1b[0m\n')
  expect(out).toContain('    98,765 entries checked, 3 were wrong, 2 repaired\n    events lost 4 times\n')
  expect(out).toContain('    /home/me/n\\x1b by polling: it lies on nfs\n')
  expect(out).not.toContain('/home/me/same')
  expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
  expect(JSON.parse((await hotpath(['status', '--json'], new FakeIndex([]))).out)).toMatchObject({
    entries: 1_234,
    fresh: { dirty: 7, dirtySubtrees: ['/home/\u001bdirty'] },
  })
})

const store: StageReport = { stage: 'store', pid: 7, state: 'ready', uptimeMs: 1_000, checks: [], metrics: [] }

test('where the index does not answer, what else answers is shown', async () => {
  const gone = new UnavailableError('nothing runs')
  const some = await hotpath(['status'], gone, { stages: async () => [store] })
  expect(some.code).toBe(2)
  expect(some.out).toContain('the index does not answer: nothing runs\n')
  expect(some.out).toMatch(/^store +7 {2}ready /m)
  expect(some.out).toMatch(/^gateway +away$/m)
  expect(await hotpath(['status'], gone)).toMatchObject({ code: 2, out: '', err: 'hotpath: nothing runs\n' })
  const json = await hotpath(['status', '--json'], gone, { stages: async () => [store] })
  expect(JSON.parse(json.out)).toEqual({ problem: 'nothing runs', processes: [store] })
})

test('it starts nothing', async () => {
  const asked: boolean[] = []
  await hotpath(['status'], new FakeIndex([]), {
    connect: async (_config, { start }) => {
      asked.push(start)
      return new FakeIndex([])
    },
  })
  expect(asked).toEqual([false])
})

test('--watch shows it again each second until it is interrupted, on a terminal alone', async () => {
  const interrupt = new AbortController()
  const out = Object.assign(new PassThrough(), { columns: 40, rows: 10 })
  let text = ''
  out.on('data', (data: Buffer) => {
    text += data.toString()
  })
  let looks = 0
  const stages = async () => {
    looks++
    // Before the third time.
    if (looks === 2) setTimeout(() => interrupt.abort(), 50)
    return [{ ...store, uptimeMs: looks * 1_000 }]
  }
  const shown = await hotpath(['status', '--watch'], new FakeIndex([]), {
    out,
    isTerminal: true,
    interrupted: interrupt.signal,
    stages,
  })
  expect(shown.code).toBe(0)
  const frames = text.split('\u001b[H').slice(1)
  expect(frames).toHaveLength(2)
  for (const frame of frames) {
    const lines = frame
      .replaceAll(/\u001b\[[KJ]/g, '')
      .trimEnd()
      .split('\n')
    expect(lines.length).toBeLessThan(10)
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(40)
  }
  for (const argv of [
    ['status', '--watch'],
    ['status', '--watch', '--json'],
  ])
    expect(await hotpath(argv, new FakeIndex([]))).toMatchObject({ code: 2, out: '' })
})
