import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AclEntry, AclTag, encodeAcl } from './access-list.js'
import { readAcl, writeAcl } from './extended-attribute.js'
import { type Credentials, mayAccess, mayList, Want } from './may-access.js'

const isRoot = process.getuid?.() === 0
if (!isRoot) console.log('permissions are not compared with what the kernel does: that needs root')

const OWNER = 54_321
const OTHER = 54_322
const GROUP = 54_400
const SECOND_GROUP = 54_401
const NO_ID = 0xffffffff

/** Users as the test knows them: the first group is the effective one. */
const USERS: readonly Credentials[] = [
  { user: OWNER, groups: [GROUP] },
  { user: OWNER, groups: [55_000, SECOND_GROUP] },
  { user: OTHER, groups: [GROUP] },
  { user: OTHER, groups: [55_000, GROUP, SECOND_GROUP] },
  { user: OTHER, groups: [SECOND_GROUP] },
  { user: OTHER, groups: [55_000] },
  { user: 0, groups: [0] },
]

/** Bits of read and search, each with and without. */
const RIGHTS = [0, 1, 4, 5]

describe.runIf(isRoot)('mayAccess', () => {
  let root = ''
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'hotpath-access-'))
    chmodSync(root, 0o755)
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  function directory(name: string, mode: number, acl?: readonly AclEntry[]): string {
    const path = join(root, name)
    mkdirSync(path)
    writeFileSync(join(path, 'inside'), '')
    chownSync(path, OWNER, GROUP)
    chmodSync(path, mode)
    if (acl !== undefined) writeAcl(Buffer.from(path), encodeAcl(acl))
    return path
  }

  /** For each directory whether a process of that user can list it, and look at what is in it. */
  function kernelSays({ user, groups }: Credentials, paths: readonly string[]): [boolean, boolean][] {
    const script = `
      const { readdirSync, statSync } = require('node:fs')
      const can = work => { try { work(); return true } catch (error) { if (error.code !== 'EACCES') throw error; return false } }
      process.setgroups(${JSON.stringify(groups.slice(1))}); process.setgid(${groups[0]}); process.setuid(${user})
      const paths = JSON.parse(require('node:fs').readFileSync(0, 'utf8'))
      console.log(JSON.stringify(paths.map(path => [can(() => readdirSync(path)), can(() => statSync(path + '/inside'))])))`
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
      input: JSON.stringify(paths),
      encoding: 'utf8',
    })
    if (stderr !== '') throw new Error(stderr)
    return JSON.parse(stdout)
  }

  function compare(paths: readonly string[]): { checked: number; allowed: number } {
    let [checked, allowed] = [0, 0]
    for (const who of USERS) {
      const answers = kernelSays(who, paths)
      for (const [i, path] of paths.entries()) {
        const { mode, uid, gid } = statSync(path)
        const acl = readAcl(Buffer.from(path))
        const owned = { mode, user: uid, group: gid }
        const what = `${path} ${mode.toString(8)} ${JSON.stringify(acl)} for ${JSON.stringify(who)}`
        const [reads, searches] = answers[i]!
        expect(mayAccess(owned, acl, who, Want.read), what).toBe(reads)
        expect(mayAccess(owned, acl, who, Want.search), what).toBe(searches)
        expect(mayList(owned, acl, who), what).toBe(reads && searches)
        checked++
        if (reads && searches) allowed++
      }
    }
    return { checked, allowed }
  }

  it('says what the kernel does for every combination of read and search', () => {
    const paths: string[] = []
    for (const user of RIGHTS) {
      for (const group of RIGHTS) {
        for (const other of RIGHTS) {
          const mode = (user << 6) | (group << 3) | other
          paths.push(directory(`mode-${mode.toString(8)}`, mode))
        }
      }
    }
    const { checked, allowed } = compare(paths)
    expect(checked).toBe(USERS.length * 64)
    expect(allowed).toBeGreaterThan(checked / 8)
  })

  it('says what the kernel does with access lists', () => {
    const paths: string[] = []
    const list = (named: readonly AclEntry[], owningGroup: number, mask: number, other: number): AclEntry[] => [
      { tag: AclTag.owner, permissions: 5, id: NO_ID },
      ...named.filter(({ tag }) => tag === AclTag.user),
      { tag: AclTag.owningGroup, permissions: owningGroup, id: NO_ID },
      ...named.filter(({ tag }) => tag === AclTag.group),
      { tag: AclTag.mask, permissions: mask, id: NO_ID },
      { tag: AclTag.other, permissions: other, id: NO_ID },
    ]
    for (const permissions of RIGHTS) {
      for (const mask of [0, 1, 4, 7]) {
        for (const other of [0, 5]) {
          for (const owningGroup of [0, 4]) {
            const user = { tag: AclTag.user, permissions, id: OTHER }
            const group = { tag: AclTag.group, permissions, id: SECOND_GROUP }
            for (const named of [[user], [group], [user, group], []]) {
              paths.push(directory(`acl-${paths.length}`, 0o700, list(named, owningGroup, mask, other)))
            }
          }
        }
      }
    }
    const { checked, allowed } = compare(paths)
    expect(checked).toBe(USERS.length * 256)
    expect(allowed).toBeGreaterThan(checked / 8)
  })

  it('lets different groups give different rights', () => {
    const path = directory('two groups', 0o700, [
      { tag: AclTag.owner, permissions: 7, id: NO_ID },
      { tag: AclTag.owningGroup, permissions: 4, id: NO_ID },
      { tag: AclTag.group, permissions: 1, id: SECOND_GROUP },
      { tag: AclTag.mask, permissions: 7, id: NO_ID },
      { tag: AclTag.other, permissions: 0, id: NO_ID },
    ])
    compare([path])
    const { mode } = statSync(path)
    const both = { user: OTHER, groups: [SECOND_GROUP, GROUP] }
    expect(mayList({ mode, user: OWNER, group: GROUP }, readAcl(Buffer.from(path)), both)).toBe(true)
  })
})
