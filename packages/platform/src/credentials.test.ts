import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { findAccount, findGroup } from './accounts.js'
import { Capability, capabilitiesOf } from './credentials.js'

const MODULE = JSON.stringify(fileURLToPath(new URL('../dist/index.js', import.meta.url)))
const BOTH = (1n << BigInt(Capability.sysAdmin)) | (1n << BigInt(Capability.dacReadSearch))
const mayChange = process.getuid?.() === 0 && (capabilitiesOf().permitted & BOTH) === BOTH
if (!mayChange) console.log('changes of user are not tested here: they need root with all its capabilities')

/** What a program of its own prints that has our module as `platform`. */
function run(body: string, program: readonly string[] = []): unknown {
  const script = `const platform = await import(${MODULE}); const { spawnSync } = await import('node:child_process')
    const report = of => Object.fromEntries(Object.entries(platform.capabilitiesOf(of)).map(([key, bits]) => [key, bits.toString(16)]))
    const child = () => spawnSync('cat', ['/proc/self/status'], { encoding: 'utf8' }).stdout
    ${body}`
  const command = [...program, process.execPath, '--input-type=module', '-e', script]
  const { stdout, stderr } = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8' })
  if (stderr !== '') throw new Error(stderr)
  return JSON.parse(stdout)
}

describe('findAccount', () => {
  it('finds users by name and number, and nobody by others', () => {
    expect(findAccount('root')).toMatchObject({ name: 'root', uid: 0, gid: 0 })
    expect(findAccount('0')).toEqual(findAccount('root'))
    expect(findAccount('no-such-user-here')).toBeUndefined()
    expect(findAccount('999999999')).toBeUndefined()
  })

  it('finds groups by name, and takes numbers as they are', () => {
    expect(findGroup('root')).toBe(0)
    expect(findGroup('4711')).toBe(4711)
    expect(findGroup('no-such-group-here')).toBeUndefined()
  })
})

describe.runIf(mayChange)('becomeUser', () => {
  it('keeps the capability that is asked for, and gives none to programs that it starts', () => {
    const user = findAccount('65534')!
    const told = run(`
      platform.becomeUser(platform.findAccount('65534'), ${user.gid}, [platform.Capability.sysAdmin])
      let refused = false
      try { process.setuid(0) } catch { refused = true }
      const fd = platform.fanotifyInit({ unlimited: true })
      console.log(JSON.stringify({ uid: process.getuid(), gid: process.getgid(), groups: process.getgroups(), refused, own: report(), child: child() }))`)
    const sysAdmin = (1 << Capability.sysAdmin).toString(16)
    expect(told).toMatchObject({
      uid: user.uid,
      gid: user.gid,
      refused: true,
      own: { permitted: sysAdmin, effective: sysAdmin, ambient: '0' },
    })
    const { child, groups } = told as { child: string; groups: number[] }
    expect(groups).not.toContain(0)
    expect(child).toMatch(/^Uid:(\s65534){4}$/m)
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) expect(child).toMatch(new RegExp(`^${set}:\\s0+$`, 'm'))
  })
})

const hasSetpriv = spawnSync('setpriv', ['--version']).status === 0
if (!hasSetpriv) console.log('ambient capabilities are not tested here: setpriv is missing')

describe.runIf(mayChange && hasSetpriv)('clearAmbientCapabilities', () => {
  it('leaves our own, and gives none to programs that are started', () => {
    const caps = '+sys_admin,+dac_read_search'
    const as = [
      'setpriv',
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      `--inh-caps=${caps}`,
      `--ambient-caps=${caps}`,
    ]
    const told = run(
      `const before = child(); platform.clearAmbientCapabilities()
      console.log(JSON.stringify({ own: report(), before, after: child() }))`,
      as,
    )
    const { before, after } = told as { before: string; after: string }
    expect(told).toMatchObject({ own: { permitted: BOTH.toString(16), effective: BOTH.toString(16), ambient: '0' } })
    expect(before).toMatch(new RegExp(`^CapEff:\\s0+${BOTH.toString(16)}$`, 'm'))
    for (const set of ['CapPrm', 'CapEff', 'CapAmb']) expect(after).toMatch(new RegExp(`^${set}:\\s0+$`, 'm'))
  })
})
