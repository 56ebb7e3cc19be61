import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeStartFlags } from '@hotpath/service'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { planStart } from './start-plan.js'

let home: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hotpath-plan-'))
})

afterEach(() => rmSync(home, { recursive: true }))

const plan = (dataDir: string, environment: Record<string, string> = {}) =>
  planStart(dataDir, { environment, homeDirectory: home, platform: 'linux' })
const usual = () => join(home, '.local/share/hotpath')

test('the default data directory is that of the home directory', async () => {
  expect(await plan(usual())).toEqual({ flags: [`--root=${home}`, `--data=${usual()}`], sources: home })
})

test('another data directory without anything is not filled with the home directory unasked', async () => {
  const other = join(home, 'other')
  expect(await plan(other)).toEqual({ reason: `start it with \`hotpath start --data ${other} --root DIR\`` })
  mkdirSync(join(other, 'index'), { recursive: true })
  expect(await plan(other)).toMatchObject({ reason: expect.stringContaining('does not say what it was made of') })
})

test('what the configuration names is indexed', async () => {
  const other = join(home, 'other')
  expect(await plan(other, { HOTPATH_ROOTS: '/srv', HOTPATH_PORT: '7' })).toEqual({
    flags: ['--root=/srv', `--data=${other}`, '--port=7'],
    sources: '/srv',
  })
  mkdirSync(join(home, '.config/hotpath'), { recursive: true })
  writeFileSync(join(home, '.config/hotpath/config.toml'), 'lists = ["/l.efu"]\n')
  expect(await plan(other)).toMatchObject({ sources: '/l.efu' })
})

test('what was started last is started again', async () => {
  const other = join(home, 'other')
  mkdirSync(other)
  writeStartFlags(other, ['--root=/srv/a', '--root=/srv/b', '--data=/moved', '--port=7'])
  expect(await plan(other)).toEqual({
    flags: ['--root=/srv/a', '--root=/srv/b', '--port=7', `--data=${other}`],
    sources: '/srv/a, /srv/b',
  })
  // A configuration that names something is newer.
  expect(await plan(other, { HOTPATH_ROOTS: '/new' })).toMatchObject({ sources: '/new' })
  for (const damaged of ['', '{"version":2,"flags":[]}', '{"version":1,"flags":[1]}', '[]']) {
    writeFileSync(join(other, 'last-start.json'), damaged)
    expect(await plan(other)).toHaveProperty('reason')
  }
})
