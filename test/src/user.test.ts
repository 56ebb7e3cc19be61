import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OTHER_UID, otherUserProblem, TestMounts } from '@hotpath/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type StageName, System } from './system.js'

const CLI = fileURLToPath(new URL('../../apps/cli/bin/hotpath.mjs', import.meta.url))
const STAGES: readonly StageName[] = ['scanner', 'watcher', 'store', 'gateway']
const SYS_ADMIN = (1n << 21n).toString(16)
const BOTH = ((1n << 21n) | (1n << 2n)).toString(16)
const SEEN_MS = 20_000
/** Four processes start and are killed: twice as long as on a machine that is busy with other tests. */
const LONG_MS = 120_000

const mounts = TestMounts.open()
const problem = typeof mounts === 'string' ? mounts : otherUserProblem(CLI)
if (problem !== '') console.log(`a system that runs as another user is not tested here: ${problem}`)
const hasSetpriv = spawnSync('setpriv', ['--version']).status === 0
if (!hasSetpriv) console.log('ambient capabilities are not tested here: setpriv is missing')
afterAll(() => {
  if (typeof mounts !== 'string') mounts.close()
})

/** Fields of /proc/PID/status that say what a process may. */
function rightsOf(pid: number) {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)![1]!
  const capabilities = (name: string) => BigInt(`0x${field(name)}`).toString(16)
  return {
    uids: field('Uid').split('\t').map(Number),
    gids: field('Gid').split('\t').map(Number),
    permitted: capabilities('CapPrm'),
    effective: capabilities('CapEff'),
    ambient: capabilities('CapAmb'),
  }
}

/** Of what is there: the system that runs there makes and removes files. */
function ownersBelow(path: string): number[] {
  const entry = lstatSync(path, { throwIfNoEntry: false })
  if (entry === undefined) return []
  const below = entry.isDirectory() ? readdirSync(path).flatMap(name => ownersBelow(join(path, name))) : []
  return [entry.uid, ...below]
}

describe.runIf(problem === '')('a system of another user', { timeout: LONG_MS }, () => {
  let folder: string
  let system: System | undefined

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hotpath-user-'))
    chmodSync(folder, 0o755)
  })

  afterEach(async () => {
    await system?.stop()
    system = undefined
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  async function isFound(name: string): Promise<boolean> {
    const { total } = await system!.client.search({ query: name, limit: 1 })
    return total === 1
  }

  const mechanism = async () => (await system!.client.status()).roots.map(root => root.mechanism)

  it('that root starts follows changes by fanotify, and only the supervisor may mark', async () => {
    const root = join(folder, 'root')
    mkdirSync(join(root, 'sub'), { recursive: true })
    system = await System.start(['--user', String(OTHER_UID), '--root', root], join(folder, 'data'))
    await system.settled()
    expect(await mechanism()).toEqual(['fanotify'])
    const user = { uids: Array(4).fill(OTHER_UID), gids: expect.not.arrayContaining([0]) }
    expect(rightsOf(system.supervisorPid)).toMatchObject({
      ...user,
      permitted: SYS_ADMIN,
      effective: SYS_ADMIN,
      ambient: '0',
    })
    for (const stage of STAGES)
      expect(rightsOf(system.pidOf(stage)!), stage).toMatchObject({
        ...user,
        permitted: '0',
        effective: '0',
        ambient: '0',
      })

    writeFileSync(join(root, 'sub/made-live'), '')
    await system.until('a file is found', SEEN_MS, () => isFound('made-live'))
    const killed = system.kill('watcher')
    writeFileSync(join(root, 'sub/made-meanwhile'), '')
    await system.restarted('watcher', killed)
    await system.until('a file is found', SEEN_MS, () => isFound('made-meanwhile'))
    await system.settled()
    expect(await mechanism()).toEqual(['fanotify'])
    expect(new Set(ownersBelow(system.dataDir))).toEqual(new Set([OTHER_UID]))
    expect(await system.stop(true)).toBe(0)

    // What root makes there would be in the way later.
    const index = join(system.dataDir, 'index')
    system = undefined
    spawnSync('chown', ['0', index])
    const refused = spawnSync(process.execPath, [CLI, 'start', '--user', String(OTHER_UID), '--data', dirname(index)])
    expect(refused.status).toBe(69)
    expect(refused.stderr.toString()).toContain(`${JSON.stringify(index)} belongs to user 0`)
  })

  it('that root starts marks what is mounted later', async () => {
    const first = (mounts as TestMounts).mount('tmpfs')
    if ('problem' in first) throw new Error(first.problem)
    const root = dirname(dirname(first.directory))
    system = await System.start(
      ['--user', String(OTHER_UID), '--root', root, '--cross-devices'],
      join(folder, 'data-of-mounts'),
    )
    await system.settled()
    const prepare = (directory: string) => writeFileSync(join(directory, 'was-there'), '')
    const later = (mounts as TestMounts).mount('tmpfs', { prepare })
    if ('problem' in later) throw new Error(later.problem)
    await system.until('what was there is found', SEEN_MS, () => isFound('was-there'))
    await system.until('it is marked', SEEN_MS, async () => (await mechanism())[0] === 'fanotify')
    const log = readFileSync(join(system.dataDir, 'logs/supervisor.log'), 'utf8')
    expect(log).toContain(JSON.stringify(later.directory))
    writeFileSync(join(later.directory, 'made-live'), '')
    await system.until('a file is found', SEEN_MS, () => isFound('made-live'))
    expect((mounts as TestMounts).unmount(later.directory)).toBeUndefined()
    await system.until('it is gone', SEEN_MS, async () => !(await isFound('made-live')))
  })

  it.runIf(hasSetpriv).each([
    ['keeps them to itself', '+sys_admin', [], SYS_ADMIN, '0'],
    ['gives them to its stages if it is told to', '+sys_admin,+dac_read_search', ['--keep-capabilities'], BOTH, BOTH],
  ])('that has ambient capabilities %s', async (name, given, flags, own, ofStages) => {
    const base = join(folder, name.replaceAll(' ', '-'))
    const root = join(base, 'root')
    mkdirSync(root, { recursive: true })
    chownSync(base, OTHER_UID, OTHER_UID)
    const user = [`--reuid=${OTHER_UID}`, `--regid=${OTHER_UID}`, '--clear-groups']
    const as = ['setpriv', ...user, `--inh-caps=${given}`, `--ambient-caps=${given}`]
    system = await System.start(['--root', root, ...flags], join(base, 'data'), as)
    await system.settled()
    expect(await mechanism()).toEqual(['fanotify'])
    expect(rightsOf(system.supervisorPid)).toMatchObject({ permitted: own, effective: own })
    for (const stage of STAGES)
      expect(rightsOf(system.pidOf(stage)!), stage).toMatchObject({ permitted: ofStages, effective: ofStages })
    writeFileSync(join(root, 'made-live'), '')
    await system.until('a file is found', SEEN_MS, () => isFound('made-live'))
  })

  it.each([
    [['--user', 'no-such-user-here'], 'there is no user'],
    [['--user', `${OTHER_UID}:no-such-group-here`], 'there is no group'],
    [['--user', 'a:b:c'], 'expected NAME or NAME:GROUP'],
    [['--user', String(OTHER_UID), '--keep-capabilities'], 'not together with --user'],
  ])('refuses %j', (flags, message) => {
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'start', ...flags], { encoding: 'utf8' })
    expect(stderr).toContain(message)
    expect(status).toBe(64)
  })
})
