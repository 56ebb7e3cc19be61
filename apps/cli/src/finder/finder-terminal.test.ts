import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { SmallSystem } from '../testing/small-system.js'
import { TerminalProgram } from '../testing/terminal-program.js'

const SIGNALS = { INT: 2, TERM: 15, TSTP: 20 } as const
/** Screen, pastes and wrapping are as they were. */
const MODES = ['?25', '?7']

const system = new SmallSystem()
const { home, root } = system
let open: TerminalProgram | undefined
let started = 0

beforeAll(async () => {
  mkdirSync(join(root, 'docs'), { recursive: true })
  for (let i = 0; i < 200; i++) writeFileSync(join(root, `file-${String(i).padStart(3, '0')}.ts`), '')
  for (const name of ['report.txt', '日本語.md', 'red\u001b[31m.txt']) writeFileSync(join(root, 'docs', name), 'x')
  writeFileSync(join(home, 'bin/xdg-open'), `#!/bin/sh\nprintf %s "$1" > ${home}/opened\n`, { mode: 0o755 })
  // Nothing runs yet: the first commands start it.
  const said = await Promise.all([1, 2, 3].map(() => system.run(['search', 'report'])))
  started = said.filter(({ err }) => err.includes(`starting hotpath, which indexes ${root}`)).length
  await system.finds('file-', 200)
})

afterEach(() => open?.close())

afterAll(() => system.stop())

function finder(more: Record<string, string> = {}, ...argv: string[]): TerminalProgram {
  open = new TerminalProgram([...system.program, ...argv], { ...system.environment, ...more })
  return open
}

test('commands that come at once start one system', () => {
  expect(started).toBeGreaterThanOrEqual(1)
  const log = readFileSync(join(home, 'data/logs/supervisor.log'), 'utf8').trim().split('\n')
  const starts = log.map(line => JSON.parse(line)).filter(({ event }) => event === 'stage started')
  expect(starts.map(({ name }) => name).sort()).toEqual(['gateway', 'index-store', 'journal-watcher', 'scanner'])
})

test('typing finds, Enter prints the path, records an open, and gives the terminal back', async () => {
  const out = join(home, 'chosen')
  const terminal = finder({ BRIDGE_OUT: out })
  // What is typed before anything is loaded is not lost.
  terminal.type('repo')
  await terminal.shows(2, /^> .*\/docs\/report\.txt +1 B/)
  await terminal.shows(-1, /^live {2}1 hit/)
  expect(terminal.screen.modes).toEqual(new Set([...MODES, '?1049', '?2004'].filter(mode => mode !== '?7')))
  terminal.type('\r')
  expect(await terminal.ended).toEqual({ code: 0, raw: false })
  expect([...terminal.screen.modes].sort()).toEqual(MODES)
  expect(readFileSync(out, 'utf8')).toBe(`${join(root, 'docs/report.txt')}\n`)
  await expect
    .poll(async () => (await system.run(['search', 'report.txt', '--format', '{hot}'])).out.toString())
    .toMatch(/^(1|0\.\d+)\n$/)
})

test('what is chosen is printed on the terminal, too, with nothing that it could obey', async () => {
  const terminal = finder({}, 'find', 'red')
  await terminal.shows(2, /red\\x1b\[31m\.txt/)
  terminal.type('\r')
  expect((await terminal.ended).code).toBe(0)
  expect(terminal.output).toMatch(/\u001b\[\?1049l.*\/docs\/red\\x1b\[31m\.txt\r\n$/s)
})

test('arrows, pages and ends move, Tab sorts, Ctrl-R forgives mistakes, a paste is text', async () => {
  const terminal = finder()
  terminal.type('file-')
  await terminal.shows(-1, /200 hits/)
  terminal.type('\t')
  await terminal.shows(2, /^> .*file-000\.ts/)
  await terminal.shows(-1, /sort name/)
  terminal.type('\u001b[B\u000e')
  await terminal.shows(4, /^> .*file-002\.ts/)
  terminal.type('\u001b[6~')
  await terminal.shows(-2, /^> .*file-010\.ts/)
  // Of another page, which is asked for.
  terminal.type('\u001b[F')
  await terminal.shows(-2, /^> .*file-199\.ts/)
  terminal.type('\u001b[H')
  await terminal.shows(2, /^> .*file-000\.ts/)
  terminal.type('\u0015\u001b[200~rpeort\n\u001b[201~')
  await terminal.shows(0, '> rpeort')
  await terminal.shows(2, /^> .*report\.txt/)
  await terminal.shows(-1, /0 hits \+ 1 fuzzy/)
  terminal.type('\u0012')
  await terminal.shows(-1, /0 hits .*fuzzy off/)
  await terminal.shows(2, '')
  terminal.type('\r')
  expect((await terminal.ended).code).toBe(1)
})

test('a mistake in the query is marked, and the hits follow the disk', async () => {
  const terminal = finder()
  terminal.type('size:zz')
  await terminal.shows(1, /^ {7}\^ .*expected a size/)
  terminal.type('\u0015appears')
  await terminal.shows(-1, /0 hits/)
  writeFileSync(join(root, 'appears.txt'), '')
  await terminal.shows(2, /appears\.txt/)
  rmSync(join(root, 'appears.txt'))
  await terminal.shows(2, '')
  terminal.type('\u001b')
  expect(await terminal.ended).toEqual({ code: 1, raw: false })
})

test('Ctrl-O opens, Ctrl-Y copies, and the finder stays', async () => {
  const terminal = finder()
  terminal.type('report')
  await terminal.shows(2, /report\.txt/)
  terminal.type('\u000f')
  await expect
    .poll(() => readFileSync(join(home, 'opened'), { encoding: 'utf8', flag: 'a+' }))
    .toBe(join(root, 'docs/report.txt'))
  terminal.type('\u0019')
  const copied = Buffer.from(join(root, 'docs/report.txt')).toString('base64')
  await expect.poll(() => terminal.screen.commands).toEqual([`52;c;${copied}`])
  await terminal.shows(1, /^ {2}copied /)
  terminal.type('\u0003')
  expect(await terminal.ended).toEqual({ code: 130, raw: false })
})

test('it follows the size of the terminal', async () => {
  const terminal = finder()
  terminal.type('日本')
  await terminal.shows(2, /日本語\.md/)
  terminal.resize(5, 30)
  await terminal.shows(2, /^> ….*日本語\.md$/)
  await terminal.shows(-1, /^live/)
  expect(terminal.screen.rows).toHaveLength(5)
  terminal.type('\u001b')
  expect((await terminal.ended).code).toBe(1)
})

test('stopped, it gives the terminal back, and takes it again', async () => {
  const terminal = finder()
  terminal.type('report')
  await terminal.shows(2, /report\.txt/)
  for (const stop of [() => terminal.type('\u001a'), () => terminal.signal(SIGNALS.TSTP)]) {
    const before = terminal.stops
    stop()
    await expect.poll(() => terminal.stops).toBe(before + 1)
    expect(terminal.stoppedRaw).toBe(false)
    expect([...terminal.screen.modes].sort()).toEqual(MODES)
    terminal.resize(12, 100)
    terminal.continue()
    await terminal.shows(0, '> report')
    await terminal.shows(2, /report\.txt/)
    expect(terminal.screen.modes.has('?1049')).toBe(true)
  }
  terminal.type('x')
  await terminal.shows(0, '> reportx')
  terminal.type('\u001b')
  expect(await terminal.ended).toEqual({ code: 1, raw: false })
})

test('a signal ends it with the terminal as it was', async () => {
  for (const [signal, code] of [
    [SIGNALS.TERM, 143],
    [SIGNALS.INT, 130],
  ] as const) {
    const terminal = finder()
    await terminal.shows(-1, /hits/)
    terminal.signal(signal)
    expect(await terminal.ended).toEqual({ code, raw: false })
    expect([...terminal.screen.modes].sort()).toEqual(MODES)
  }
})

test('an error that nobody expected is told after the terminal was given back', async () => {
  const crash = join(home, 'crash.mjs')
  // Thrown out of nothing, once the finder has the terminal.
  writeFileSync(crash, `setInterval(() => { if (process.stdin.isRaw) throw new Error('out of nothing') }, 20)\n`)
  const terminal = finder({ NODE_OPTIONS: `--import=${crash}` })
  const { code, raw } = await terminal.ended
  expect({ code, raw }).toEqual({ code: 1, raw: false })
  expect(terminal.output).toMatch(/\u001b\[\?1049l.*out of nothing/s)
})

test('where nothing may be started it says so, with the terminal as it was', async () => {
  const terminal = finder({ HOTPATH_DATA: join(home, 'none'), HOTPATH_NO_START: '1' })
  expect(await terminal.ended).toEqual({ code: 2, raw: false })
  expect(terminal.output).toMatch(/\u001b\[\?1049l.*hotpath: nothing runs for /s)
})

test('a terminal that cannot address its cursor gets help', async () => {
  const terminal = finder({ TERM: 'dumb' })
  expect((await terminal.ended).code).toBe(2)
  expect(terminal.output).toContain('hotpath search QUERY')
  expect(terminal.output).not.toContain('\u001b')
})

test('without colours there are none', async () => {
  const terminal = finder({ NO_COLOR: '1' })
  terminal.type('report')
  await terminal.shows(2, /report\.txt/)
  expect(terminal.output).not.toMatch(/\u001b\[[0-9;]*(3[0-7]|9[0-7])m/)
  terminal.type('\u001b')
  await terminal.ended
})
