import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Console, formatLogLine } from './console.js'
import { LineSplitter, MAX_LINE_BYTES } from './line-splitter.js'
import { LogFile } from './log-file.js'
import { Progress } from './progress.js'
import { type RestartLimits, RestartPolicy } from './restart-policy.js'

const LIMITS: RestartLimits = { firstDelayMs: 10, maxDelayMs: 35, windowMs: 1_000, maxFailures: 5, steadyMs: 200 }

test('failures that lie outside the window are forgotten', () => {
  const policy = new RestartPolicy(LIMITS)
  expect([0, 100, 200, 300].map(nowMs => policy.failed(nowMs, undefined))).toEqual([10, 20, 35, 35])
  expect(policy.failed(1_150, undefined)).toBe(35)
  expect(policy.failed(1_160, undefined)).toBe(35)
  expect(policy.failed(1_170, undefined)).toBeUndefined()
  expect(policy.failed(5_000, undefined)).toBe(10)
})

test('only starts that do not make a stage ready are a reason to give up', () => {
  const policy = new RestartPolicy(LIMITS)
  expect([0, 10, 20, 30].map(nowMs => policy.failed(nowMs, undefined))).toEqual([10, 20, 35, 35])
  // Ready for a moment: it was of use, but it waits as before.
  expect([40, 50, 60, 70, 80].map(nowMs => policy.failed(nowMs, nowMs - 1))).toEqual([35, 35, 35, 35, 35])
  expect([90, 91, 92, 93].map(nowMs => policy.failed(nowMs, undefined))).toEqual([35, 35, 35, 35])
  expect(policy.failed(94, undefined)).toBeUndefined()
})

test('what was at work for long enough is started again at once', () => {
  const policy = new RestartPolicy(LIMITS)
  expect([0, 10, 20].map(nowMs => policy.failed(nowMs, undefined))).toEqual([10, 20, 35])
  expect(policy.failed(300, 101)).toBe(35)
  expect(policy.failed(600, 400)).toBe(10)
})

test('lines come out whole however the bytes are cut', () => {
  const text = 'one\n\ntwo ü\nrest'
  const bytes = Buffer.from(text)
  for (let cut = 0; cut <= bytes.length; cut++) {
    const lines: string[] = []
    const splitter = new LineSplitter(line => lines.push(line))
    splitter.push(bytes.subarray(0, cut))
    splitter.push(bytes.subarray(cut))
    splitter.end()
    expect(lines).toEqual(['one', '', 'two ü', 'rest'])
  }
})

test('a line without end is given out in pieces', () => {
  const lines: string[] = []
  const splitter = new LineSplitter(line => lines.push(line))
  for (let i = 0; i < 5; i++) splitter.push(Buffer.alloc(MAX_LINE_BYTES / 2, 'x'))
  splitter.push(Buffer.from('y\nz\n'))
  expect(lines.map(line => line.length)).toEqual([MAX_LINE_BYTES, MAX_LINE_BYTES, MAX_LINE_BYTES / 2 + 1, 1])
})

test('log files rotate at their size and the oldest goes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hotpath-log-'))
  try {
    const log = new LogFile(directory, 'x', 100, 3)
    for (let i = 0; i < 40; i++) log.write(`line ${String(i).padStart(4, '0')}`)
    log.close()
    expect(readdirSync(directory).sort()).toEqual(['x.1.log', 'x.2.log', 'x.log'])
    for (const file of readdirSync(directory)) expect(statSync(join(directory, file)).size).toBeLessThanOrEqual(100)
    expect(readFileSync(join(directory, 'x.log'), 'utf8').trim().split('\n').at(-1)).toBe('line 0039')
    const again = new LogFile(directory, 'x', 1_000, 3)
    again.write('later')
    again.close()
    expect(readFileSync(join(directory, 'x.log'), 'utf8')).toMatch(/line 0039\nlater\n$/)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a log that cannot be written loses lines and nothing else', () => {
  const log = new LogFile('/dev/null/nowhere', 'x')
  log.write('a')
  log.write('b')
  log.close()
  expect(log.lost).toBe(2)
})

test('progress shows speed, share and time left', () => {
  const progress = new Progress()
  progress.update({ entries: 0, knownTotal: 100_000, directory: '/a' }, 0)
  progress.update({ entries: 25_000, knownTotal: 100_000, directory: '/home/me' }, 1_000)
  expect(progress.line(120)).toBe('[#####...............] 25 %  indexing 25,000 entries  25,000/s  0:03 left  /home/me')
  expect(progress.summary(25_000, 2_500)).toBe('indexed 25,000 entries in 2.5 s')
})

test('progress without a known total has no bar, fits the line and escapes what a path holds', () => {
  const progress = new Progress()
  progress.update({ entries: 1, knownTotal: undefined, directory: `/x\u001b]0;evil\u0007/${'d'.repeat(200)}/end` }, 0)
  const line = progress.line(60)
  expect(line).toHaveLength(60)
  expect(line).toMatch(/^indexing 1 entries {2}0\/s {2}….*d\/end$/)
  expect(new Progress().line(10)).toBe('')
  expect(progress.line(500)).toContain('/x\\x1b]0;evil\\x07/')
})

test('speed follows the last seconds, not the whole', () => {
  const progress = new Progress()
  for (let second = 0; second <= 10; second++) {
    progress.update({ entries: Math.min(second, 5) * 1_000, knownTotal: undefined, directory: '' }, second * 1_000)
  }
  expect(progress.entriesPerSecond).toBe(0)
})

test('on a terminal lines are written above the progress; elsewhere progress is a line now and then', () => {
  let text = ''
  const sink = { write: (part: string) => (text += part), isTTY: true, columns: 80 }
  const terminal = new Console(sink)
  terminal.progress('50 %', 0)
  terminal.line('a warning')
  terminal.endProgress()
  terminal.line('done')
  expect(text).toBe('\r\u001b[2K50 %\r\u001b[2Ka warning\n50 %\r\u001b[2Kdone\n')

  text = ''
  const plain = new Console({ write: part => (text += part) })
  for (let nowMs = 0; nowMs < 5_000; nowMs += 100) plain.progress(`at ${nowMs}`, nowMs)
  plain.endProgress()
  expect(text).toBe('at 0\nat 2000\nat 4000\n')
})

test('log lines are shown from their level on, escaped; foreign lines always', () => {
  const line = JSON.stringify({
    time: 't',
    level: 'warn',
    stage: 's',
    component: 's.c',
    event: 'bad',
    file: '/\u001b',
    n: 1,
  })
  expect(formatLogLine('s', line, 'warn')).toBe('[s] warn: s.c: bad file="/\\u001b" n=1')
  expect(formatLogLine('s', line.replace('s.c', 's'), 'warn')).toBe('[s] warn: bad file="/\\u001b" n=1')
  expect(formatLogLine('s', line, 'error')).toBeUndefined()
  expect(formatLogLine('s', 'Segmentation\u0007 fault', 'error')).toBe('[s] Segmentation\\x07 fault')
  expect(formatLogLine('s', '{"broken', 'error')).toBe('[s] {"broken')
  const failure = JSON.stringify({ level: 'error', event: 'failed', error: { message: 'no', stack: 'long' } })
  expect(formatLogLine('s', failure, 'warn')).toBe('[s] error: failed error="no"')
})
