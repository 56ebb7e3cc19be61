import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { resolveConfig } from './config.js'
import { ConfigError } from './config-error.js'
import { databaseName } from './database-setting.js'

let home: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hotpath-databases-'))
})

afterEach(() => rmSync(home, { recursive: true }))

function resolve(text: string, environment: Record<string, string> = {}, flags: string[] = []) {
  const configFile = join(home, 'config.toml')
  writeFileSync(configFile, text)
  return resolveConfig({
    configFile,
    environment,
    homeDirectory: home,
    workingDirectory: '/here',
    flags: new Map(flags.length === 0 ? [] : [['databases', flags]]),
  })
}

async function problemOf(text: string): Promise<string> {
  const error = await resolve(text).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConfigError)
  return error instanceof ConfigError ? error.message : ''
}

test('reads databases from the file, from a flag and from the variable', async () => {
  const { config } = await resolve(`
    [[database]]
    path = "chat/msg.db"
    name = "chat"
    key-file = "chat.key"
    cipher = "sqlcipher-3"
    tables = ["message", "contact_*"]
    audit = true
    text = ["message.body"]
    [[database]]
    path = "/mail/*.sqlite"
    key-command = ["secret-tool", "lookup", "mail", "me"]
  `)
  expect(config.databases).toEqual([
    {
      path: join(home, 'chat/msg.db'),
      name: 'chat',
      key: { file: join(home, 'chat.key') },
      cipher: 'sqlcipher-3',
      tables: ['message', 'contact_*'],
      audit: true,
      text: ['message.body'],
    },
    {
      path: '/mail/*.sqlite',
      name: 'mail',
      key: { command: ['secret-tool', 'lookup', 'mail', 'me'] },
      tables: [],
      audit: false,
      text: [],
    },
  ])
  const variable = await resolve('', { HOTPATH_DATABASE: '/a.db:b.db' })
  expect(variable.config.databases.map(({ path, name }) => [path, name])).toEqual([
    ['/a.db', 'a'],
    ['/here/b.db', 'b'],
  ])
  const flag = await resolve('', {}, ['x.db', '{"path":"y.db","key-env":"Y_KEY"}'])
  expect(flag.config.databases).toEqual([
    { path: '/here/x.db', name: 'x', tables: [], audit: false, text: [] },
    { path: '/here/y.db', name: 'y', key: { env: 'Y_KEY' }, tables: [], audit: false, text: [] },
  ])
})

test('says what is wrong with a database, and never what somebody wrote for a key', async () => {
  const cases = [
    ['key = "swordfish"', 'there is no key "key"'],
    ['key-file = 5', 'key-file: expected a path'],
    ['key-env = "sword fish"', 'key-env: expected the name of a variable'],
    ['key-file = "/swordfish"\nkey-env = "A"', 'key-file and key-env: expected one of them'],
    ['key-command = "swordfish"', 'key-command: expected a list'],
    ['key-command = []', 'key-command: expected a list'],
    ['text = ["body"]', 'text: expected a list of columns'],
    ['tables = "message"', 'tables: expected a list'],
    ['name = "a/b"', 'name: expected letters'],
    ['cipher = "My Cipher"', 'cipher: expected the name of a profile'],
  ] as const
  for (const [line, expected] of cases) {
    const message = await problemOf(`[[database]]\npath = "/a.db"\n${line}`)
    expect(message).toContain(expected)
    expect(message).not.toContain('swordfish')
  }
  expect(await problemOf('[[database]]\nname = "a"')).toContain('path: expected a path')
  expect(await problemOf('[[database]]\npath = "/*/a.db"')).toContain('only in the name of the file')
  expect(await problemOf('database = 3')).toContain('expected a table')
  expect(await problemOf('[[database]]\npath="/a.db"\n[[database]]\npath="/b.db"\ntext = [""]')).toContain('table 2')
})

test('two databases of one name are refused', async () => {
  expect(await problemOf('[[database]]\npath="/x/a.db"\n[[database]]\npath="/y/a.db"')).toContain('called "a"')
})

test('calls a database by its file', () => {
  expect(
    ['/a/chat.db', '/a/History', '/a/.db', '/a/my mail.v2.sqlite', '/a/*.db', '/a/Nachrichten-ä.db'].map(databaseName),
  ).toEqual(['chat', 'History', 'db', 'my-mail.v2', 'a', 'Nachrichten-ä'])
})
