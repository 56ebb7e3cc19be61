import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChangesEvent, DatabaseInfo } from '@hotpath/client'
import { expect, test } from 'vitest'
import type { CommandContext } from '../context.js'
import { commandTests } from '../testing/commands.js'
import { FakeIndex } from '../testing/fake-index.js'

const cli = commandTests()
const { hotpath } = cli

const chat: DatabaseInfo = {
  name: 'chat',
  path: '/home/ann/chat.db',
  state: 'live',
  reason: '',
  method: 'pages',
  cursor: { epoch: 'a'.repeat(24), sequence: 1_234 },
  lagMs: 2.4,
  subscribers: 1,
  adHoc: false,
  logBytes: 10,
}
const tables = new Map([
  ['m', { name: 'm', columns: ['id', 'te\u001bxt'] }],
  ['k', { name: 'k', columns: ['a', 'b'], primaryKey: ['a', 'b'] }],
])
const committed = new Date(2026, 0, 2, 3, 4, 5, 67).getTime()

function transaction(sequence: number, more = false): ChangesEvent {
  return {
    type: 'transaction',
    database: 'chat',
    cursor: `${'a'.repeat(24)}.${sequence}`,
    sequence,
    committed,
    method: 'pages',
    merged: sequence === 2,
    tables,
    more,
    changes: [
      { table: 'm', operation: 'insert', key: 1n, new: [1n, 'a\u001b[0m\u202e'] },
      { table: 'm', operation: 'update', key: 1n, old: [1n, 'x'.repeat(300)], new: [1n, Uint8Array.of(1, 255)] },
      { table: 'k', operation: 'delete', key: ['p', 1.5], old: ['p', 1.5] },
    ],
  }
}

/** Runs `hotpath follow` until the events are over. */
function follow(argv: string[], index: FakeIndex, more: Partial<CommandContext> = {}) {
  const interrupt = new AbortController()
  const { events } = index
  index.events = new Proxy(events, {
    get: (target, name) =>
      name === Symbol.iterator
        ? function* () {
            yield* target
            setImmediate(() => interrupt.abort())
          }
        : Reflect.get(target, name),
  })
  return hotpath(['follow', ...argv], index, { interrupted: interrupt.signal, ...more })
}

function indexOf(events: ChangesEvent[]): FakeIndex {
  const index = new FakeIndex([])
  index.followed = [chat, { ...chat, name: '/tmp/other.db', path: '/tmp/other.db', adHoc: true }]
  index.events = events
  return index
}

test('on a terminal changes are lines, in which nothing acts on it', async () => {
  const index = indexOf([
    { type: 'state', database: 'chat', cursor: undefined, state: 'locked', reason: 'no key\u0007' },
    { type: 'reset', database: 'chat', cursor: undefined, reason: 'initial' },
    {
      ...{ type: 'rows', database: 'chat', cursor: undefined, tables, more: false },
      rows: [{ table: 'm', operation: 'insert', key: 7n, new: [7n, null] }],
    },
    { type: 'reset', database: 'chat', cursor: undefined, reason: 'behind' },
    transaction(1),
    transaction(2),
  ])
  const { code, out, err } = await follow(['chat'], index, { isTerminal: true })
  expect(code).toBe(0)
  expect(index.changesParams).toMatchObject({ databases: ['chat'], tables: [], cursors: [], initial: false })
  const text = Buffer.from(out, 'latin1').toString()
  expect(text.split('\n').slice(0, 4)).toEqual([
    'chat = m 7  id=7 te\\x1bxt=NULL',
    '03:04:05.067 chat + m 1  id=1 te\\x1bxt="a\\u001b[0m\\u{202e}"',
    `03:04:05.067 chat ~ m 1  te\\x1bxt="${'x'.repeat(200)}"… → x'01ff'`,
    '03:04:05.067 chat - k ("p", 1.5)  a="p" b=1.5',
  ])
  expect(text.split('\n')[4]).toMatch(/^03:04:05.067 chat \(merged\) \+ /)
  expect(err).toBe(
    'hotpath: chat: locked: no key\\x07\nhotpath: chat: changes came faster than they were read, and were missed; it goes on now\n',
  )
})

test('into a pipe, and with --ndjson, each event is a line of JSON with its cursor', async () => {
  const { out, err } = await follow([], indexOf([transaction(1), transaction(2)]))
  expect(err).toBe('')
  const lines = out.trimEnd().split('\n')
  expect(lines.map(line => JSON.parse(line))).toMatchObject([
    { type: 'transaction', cursor: `${'a'.repeat(24)}.1`, changes: [{ operation: 'insert', key: 1 }, {}, {}] },
    { sequence: 2 },
  ])
  expect(lines[0]).toContain('\\u202e')
  const { out: same } = await follow(['--ndjson'], indexOf([transaction(1), transaction(2)]), { isTerminal: true })
  expect(same).toBe(out)
})

test('-n ends after so many whole transactions', async () => {
  const index = indexOf([transaction(1, true), transaction(1), transaction(2), transaction(3)])
  const { out, code } = await hotpath(['follow', '-n', '2'], index)
  expect(code).toBe(0)
  expect(out.trimEnd().split('\n')).toHaveLength(3)
  expect(index.calls).toContain('changes ended')
})

test('flags become what is asked for; a file that nobody follows is followed by its path', async () => {
  writeFileSync(join(cli.directory, 'x.db'), '')
  writeFileSync(join(cli.directory, 'key'), 'secret')
  const cursor = `${'a'.repeat(24)}.5`
  const index = indexOf([transaction(1)])
  const flags = ['--key-file', 'key', '--audit', '--table', 'm', '--table', 'k', '--cursor', cursor, '--initial']
  await follow(['x.db', ...flags], index)
  expect(index.changesParams).toMatchObject({
    follow: { path: join(cli.directory, 'x.db'), tables: ['m', 'k'], audit: true, keyFile: join(cli.directory, 'key') },
    tables: ['m', 'k'],
    cursors: [cursor],
    initial: true,
  })
  const byPath = indexOf([transaction(1)])
  await follow(['/home/ann/chat.db'], byPath)
  expect(byPath.changesParams).toMatchObject({ databases: ['chat'] })
})

test.each([
  [['nothing'], 'hotpath: "nothing" is neither a database that is followed nor a file; followed are "chat"\n'],
  [['chat', '--key-file', 'key'], 'hotpath: the key of "chat" is that of the configuration\n'],
  [['--key-file', 'key'], 'hotpath: --key-file needs a database\n'],
  [['chat', '--audit'], 'hotpath: whether "chat" is audited is said by the configuration (audit = true)\n'],
  [['--audit'], 'hotpath: --audit needs a database\n'],
])('%s is refused', async (argv, message) => {
  expect(await hotpath(['follow', ...argv], indexOf([]))).toMatchObject({ code: 2, out: '', err: message })
})

test('without a database that is followed, one must be named', async () => {
  const { code, err } = await hotpath(['follow'], new FakeIndex([]))
  expect(code).toBe(2)
  expect(err).toContain('no database is followed; name one')
})

test('status shows what is followed', async () => {
  const { out } = await hotpath(['status'], indexOf([]))
  expect(out).toContain(
    '  database chat /home/ann/chat.db: live (pages), transaction 1,234, 2 ms behind, 1 subscriber\n',
  )
  expect(JSON.parse((await hotpath(['status', '--json'], indexOf([]))).out)).toMatchObject({
    databases: [{ name: 'chat', state: 'live' }, { adHoc: true }],
  })
})
