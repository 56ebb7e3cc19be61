import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { unitFile } from './unit-file.js'

const directory = mkdtempSync(join(tmpdir(), 'hotpath-unit-'))
afterAll(() => rmSync(directory, { recursive: true }))

const strange = join(directory, 'a b"c%d$e\\f')

/** Lines of a key, without it. */
function valuesOf(text: string, key: string): string[] {
  return text.split('\n').flatMap(line => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []))
}

test('a unit of a user: tells how it is, is watched, writes to its own directories alone', () => {
  const text = unitFile({ command: ['/usr/bin/node', '/opt/hotpath.mjs', 'start'], writablePaths: ['/data'] })
  const expected = {
    Type: 'notify',
    NotifyAccess: 'main',
    ExecStart: '/usr/bin/node /opt/hotpath.mjs start',
    WatchdogSec: '180',
    Restart: 'on-failure',
    NoNewPrivileges: 'yes',
    ProtectSystem: 'strict',
    ReadWritePaths: '/data',
    PrivateTmp: 'no',
    RuntimeDirectory: 'hotpath',
    LimitNOFILE: '65536',
    MemoryMax: '2G',
    WantedBy: 'default.target',
  }
  for (const [key, value] of Object.entries(expected))
    expect({ key, values: valuesOf(text, key) }).toEqual({ key, values: [value] })
  expect(valuesOf(text, 'User')).toEqual([])
})

test('a unit of the system runs as a user, with one privilege', () => {
  const text = unitFile({ command: ['/usr/bin/node'], writablePaths: ['/data'], asUser: 'ann' })
  expect(valuesOf(text, 'User')).toEqual(['ann'])
  expect(valuesOf(text, 'AmbientCapabilities')).toEqual(['CAP_SYS_ADMIN'])
  expect(valuesOf(text, 'WantedBy')).toEqual(['multi-user.target'])
  expect(valuesOf(text, 'RuntimeDirectory')).toEqual([])
})

test.each([undefined, 'root'])('systemd reads it, with strange names (user %s)', asUser => {
  mkdirSync(strange, { recursive: true })
  const text = unitFile({ command: ['/bin/true', `--root=${strange}`], writablePaths: [strange], asUser })
  expect(text).toContain('a b\\"c%%d$$e\\\\f"')
  const file = join(directory, 'hotpath.service')
  writeFileSync(file, text)
  const argv = [...(asUser === undefined ? ['--user'] : []), '--man=no', 'verify', file]
  const { error, status, stderr } = spawnSync('systemd-analyze', argv, {
    env: { ...process.env, XDG_RUNTIME_DIR: directory },
  })
  // Not installed: there is nobody to ask.
  if (error !== undefined) return
  expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' })
})
