import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ConfigSources, resolveConfig } from './config.js'
import { ConfigError } from './config-error.js'
import { describeFlags, flagsOf, parseFlags } from './flags.js'
import { CONFIG_KEYS, SETTINGS, type Setting, variableName } from './settings.js'
import { volumePath } from './value-types.js'

let home: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hotpath-config-'))
})

afterEach(() => rmSync(home, { recursive: true }))

function resolve(argv: string[], environment: Record<string, string> = {}, more: ConfigSources = {}) {
  const { texts, problems, configFile } = parseFlags(argv, {})
  return resolveConfig({
    flags: texts,
    problems,
    configFile,
    environment,
    homeDirectory: home,
    workingDirectory: '/here',
    ...more,
  })
}

async function problemsOf(work: Promise<unknown>): Promise<string[]> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConfigError)
  return error instanceof ConfigError ? error.problems.map(({ where, message }) => `${where}: ${message}`) : []
}

function writeFile(text: string): string {
  const path = join(home, '.config/hotpath/config.toml')
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}

test('defaults: the home directory, and the places that XDG names', async () => {
  const { config, file, entries } = await resolve([])
  expect(config).toMatchObject({ roots: [home], lists: [], port: 7717, watch: true, scan: true, fresh: false })
  expect(config.dataDir).toBe(join(home, '.local/share/hotpath'))
  expect(file).toBeUndefined()
  expect(entries.map(entry => entry.key)).toEqual(CONFIG_KEYS)
  expect(new Set(entries.map(entry => entry.origin))).toEqual(new Set(['default']))
  const elsewhere = await resolve([], { XDG_DATA_HOME: '/d' })
  expect(elsewhere.config.dataDir).toBe('/d/hotpath')
  const relative = await resolve([], { XDG_DATA_HOME: 'd' })
  expect(relative.config.dataDir).toBe(join(home, '.local/share/hotpath'))
})

test('on Windows the places are those of the user there', async () => {
  const windows = { platform: 'win32', homeDirectory: 'C:\\Users\\x' } as const
  const given = await resolve([], { LOCALAPPDATA: 'D:\\Local' }, windows)
  expect(given.config.dataDir).toBe('D:\\Local\\hotpath')
  for (const environment of [{}, { LOCALAPPDATA: '' }, { LOCALAPPDATA: 'Local' }] as Record<string, string>[]) {
    const { config } = await resolve([], environment, windows)
    expect(config.dataDir).toBe('C:\\Users\\x\\AppData\\Local\\hotpath')
  }
})

test('flags before variables before the file before defaults', async () => {
  const path = writeFile('port = 1\nroots = ["a", "/b"]\n[scan]\nthreads = 3\n[store]\nflush_rows = 99\n')
  const { config, entries } = await resolve(['--port=3', '--exclude', 'x', '--exclude=y z'], {
    HOTPATH_PORT: '2',
    HOTPATH_SCAN_THREADS: '5',
    HOTPATH_EXCLUDES: 'never',
  })
  expect(config).toMatchObject({ port: 3, scanThreads: 5, flushRows: 99, excludes: ['x', 'y z'] })
  expect(config.roots).toEqual([join(dirname(path), 'a'), '/b'])
  const origin = (key: string) => {
    const entry = entries.find(one => one.key === key)!
    return `${entry.origin} ${entry.source}`
  }
  expect(origin('port')).toBe('flag --port')
  expect(origin('scanThreads')).toBe('environment HOTPATH_SCAN_THREADS')
  expect(origin('flushRows')).toBe(`file ${path}: store.flush_rows`)
  expect(origin('queryThreads')).toBe('default default')
})

test('lists and switches in variables; relative paths start at the working directory', async () => {
  const { config } = await resolve(['--list', 'l.efu'], { HOTPATH_ROOTS: '/a:b::', HOTPATH_WATCH: 'off' })
  expect(config).toMatchObject({ roots: ['/a', '/here/b'], lists: ['/here/l.efu'], watch: false })
})

test('a list alone does not bring the home directory along', async () => {
  expect((await resolve(['--list=/l'])).config.roots).toEqual([])
})

test('every problem is reported, from wherever it comes', async () => {
  const path = writeFile('prot = 1\nport = "x"\nroots = "one"\n[log]\nlevel = "silly"\ncolour = 1\n')
  const found = await problemsOf(
    resolve(['--flush-rows=1', '--nope', '--data', '--fresh=1'], { HOTPATH_SCAN_THREADS: '-1', HOTPATH_X: '' }),
  )
  expect(found).toEqual([
    '--nope: there is no such flag',
    '--data: needs a value; write --data=--fresh=1',
    `${path}: prot: there is no such key`,
    `${path}: log.colour: there is no such key`,
    'HOTPATH_X: there is no such variable',
    `${path}: roots: expected a list of paths, found "one"`,
    `${path}: port: expected a whole number from 0 to 65535, found "x"`,
    'HOTPATH_SCAN_THREADS: expected a whole number from 1 to 64, found "-1"',
    '--flush-rows: expected a whole number from 16 to 1000000, found "1"',
    `${path}: log.level: expected one of debug, info, warn, error, found "silly"`,
  ])
})

test('a broken or missing file is a problem; a missing usual file is none', async () => {
  expect((await problemsOf(resolve(['--config', 'nowhere.toml'])))[0]).toMatch(/^\/here\/nowhere.toml: cannot be read/)
  const path = writeFile('port = = 1')
  expect((await problemsOf(resolve([])))[0]).toContain(`${path}: Invalid TOML`)
})

test('flags of a switch take no value, and names of Object are no flags', async () => {
  expect(parseFlags(['--fresh=1'], {}).problems).toEqual([{ where: '--fresh', message: 'takes no value' }])
  expect(parseFlags(['--constructor', '--__proto__=1'], {}).problems).toHaveLength(2)
})

test('extra flags come back with their types', () => {
  const { extra, positionals } = parseFlags(['a', '--deep', '--name=-x', '--', '--deep'], {
    deep: { type: 'boolean', help: '' },
    name: { type: 'string', help: '' },
    other: { type: 'string', help: '' },
  })
  expect(extra).toEqual({ deep: true, name: '-x', other: undefined })
  expect(positionals).toEqual(['a', '--deep'])
})

test('any configuration survives the way through flags to a stage', async () => {
  const name = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }).filter(text => !/[\0/]/.test(text))
  const path = name.map(text => `/r/${text.replace(/[*?]/g, '_')}x`)
  const database = fc.record(
    {
      path,
      name: fc.stringMatching(/^[a-z][a-z0-9_.-]{0,8}$/),
      key: fc.oneof(
        fc.record({ file: path }),
        fc.record({ env: fc.constant('CHAT_KEY') }),
        fc.record({ command: fc.array(name, { minLength: 1, maxLength: 2 }) }),
      ),
      cipher: fc.constant('sqlcipher-4'),
      tables: fc.array(name, { maxLength: 2 }),
      audit: fc.boolean(),
      text: fc.array(
        name.map(column => `t.${column}`),
        { maxLength: 2 },
      ),
    },
    { requiredKeys: ['path', 'name', 'tables', 'audit', 'text'] },
  )
  const arbitrary = fc.record({
    roots: fc.array(path, { minLength: 1, maxLength: 3 }),
    lists: fc.array(path, { maxLength: 2 }),
    images: fc.array(path, { maxLength: 2 }),
    volumes: fc.array(path, { maxLength: 2 }),
    databases: fc.uniqueArray(database, { maxLength: 2, selector: ({ name }) => name }),
    dataDir: path,
    port: fc.integer({ min: 0, max: 65_535 }),
    excludes: fc.array(name, { maxLength: 3 }),
    watch: fc.boolean(),
    scan: fc.boolean(),
    fresh: fc.boolean(),
    scanThreads: fc.integer({ min: 1, max: 64 }),
    crossDevices: fc.boolean(),
    streams: fc.boolean(),
    idleVolumes: fc.boolean(),
    flushRows: fc.integer({ min: 16, max: 1_000_000 }),
    sliceRows: fc.integer({ min: 1_000, max: 16_000_000 }),
    verifyRate: fc.integer({ min: 0, max: 1_000_000 }),
    queryThreads: fc.integer({ min: 1, max: 64 }),
    hotFormula: fc.constantFrom('decay' as const, 'classic' as const),
    hotHalfLifeDays: fc.integer({ min: 1, max: 3650 }),
    openRead: fc.boolean(),
    launch: fc.boolean(),
    download: fc.boolean(),
    usersListen: fc.oneof(path, fc.constant('')),
    logLevel: fc.constantFrom('debug' as const, 'info' as const, 'warn' as const, 'error' as const),
  })
  await fc.assert(
    fc.asyncProperty(arbitrary, async config => {
      const flags = flagsOf(config, { environment: {}, homeDirectory: home, platform: 'linux' })
      const read = await resolve(flags, { HOTPATH_PORT: '1' }, { flagsOnly: true })
      expect(read.config).toEqual(config)
    }),
    { numRuns: 200 },
  )
})

test('no flag has a name that a native module reads from the command line', () => {
  const flags = CONFIG_KEYS.map(key => (SETTINGS[key] as Setting<unknown>).flag)
  expect(new Set(flags).size).toBe(flags.length)
  for (const flag of flags) expect(['dir', 'directory', 'C']).not.toContain(flag)
  expect(describeFlags()).toHaveLength(flags.length + 2)
  expect(variableName('scan.cross_devices')).toBe('HOTPATH_SCAN_CROSS_DEVICES')
})

test('takes a drive of Windows for a volume, not for a directory', () => {
  for (const text of ['c:', 'C:\\', 'C:/', '\\\\.\\C:', '//?/c:/'])
    expect(volumePath(text, '/here', 'win32')).toBe('C:')
  expect(volumePath('c:', '/here', 'linux')).toBe('/here/c:')
  expect(volumePath('disk.img', '/here', 'win32')).toBe('/here/disk.img')
})
