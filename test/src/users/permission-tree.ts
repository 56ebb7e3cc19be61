import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AclEntry, AclTag, encodeAcl, writeAcl } from '@hotpath/platform'
import { randomOf } from '@hotpath/query/testing'

/** Bits of read and search, each with and without; the owner of the tree writes as root. */
export const RIGHTS = [0, 1, 4, 5] as const
const NO_ID = 0xffffffff
const NESTED_DIRECTORIES = 60

export interface TreeOwners {
  readonly first: { readonly user: number; readonly group: number }
  readonly second: { readonly user: number; readonly group: number }
}

/** What access lists name. */
export interface Named {
  readonly user: number
  readonly group: number
}

/**
 * Directories with every combination of read and search for owner, group and others, twice with other owners; with access lists; and
 * nested at random. Each holds files, some of one name everywhere, and an open directory with more.
 */
export function makePermissionTree(root: string, { first, second }: TreeOwners, named: Named): void {
  let number = 0
  const fill = (path: string): void => {
    const id = number++
    writeFileSync(join(path, 'report.txt'), 'x'.repeat(id % 7))
    writeFileSync(join(path, `Unique-${id}.tar.gz`), 'y'.repeat(id))
    mkdirSync(join(path, `inner-${id}`))
    writeFileSync(join(path, `inner-${id}`, `größe-${id}.md`), '')
    writeFileSync(join(path, `inner-${id}`, 'report.txt'), 'zz')
  }
  const close = (path: string, mode: number, { user, group } = first): void => {
    chownSync(path, user, group)
    chmodSync(path, mode)
  }
  for (const [i, owner] of [first, second].entries()) {
    for (const user of RIGHTS) {
      for (const group of RIGHTS) {
        for (const other of RIGHTS) {
          const mode = (user << 6) | (group << 3) | other
          const path = join(root, `mode-${i}-${mode.toString(8).padStart(3, '0')}`)
          mkdirSync(path)
          fill(path)
          close(path, mode, owner)
        }
      }
    }
  }
  for (const permissions of RIGHTS) {
    for (const mask of [0, 1, 4, 7]) {
      const path = join(root, `acl-${permissions}-${mask}`)
      mkdirSync(path)
      fill(path)
      close(path, 0o700)
      writeAcl(Buffer.from(path), encodeAcl(aclOf(named, permissions, mask)))
    }
  }
  const random = randomOf(84)
  const nested = [join(root, 'nest')]
  mkdirSync(nested[0]!)
  for (let i = 0; i < NESTED_DIRECTORIES; i++) {
    const path = join(random.pick(nested), `level-${i}`)
    mkdirSync(path)
    fill(path)
    nested.push(path)
  }
  // From below: nothing is closed before what is in it was made.
  for (const path of nested.toReversed()) {
    const right = () => (random.chance(0.7) ? 5 : random.pick(RIGHTS))
    close(path, (right() << 6) | (right() << 3) | right(), random.chance(0.5) ? first : second)
  }
}

/** A list that gives a user and a group some permissions, and others nothing. */
export function aclOf({ user, group }: Named, permissions: number, mask: number): AclEntry[] {
  return [
    { tag: AclTag.owner, permissions: 7, id: NO_ID },
    { tag: AclTag.user, permissions, id: user },
    { tag: AclTag.owningGroup, permissions: 0, id: NO_ID },
    { tag: AclTag.group, permissions, id: group },
    { tag: AclTag.mask, permissions: mask, id: NO_ID },
    { tag: AclTag.other, permissions: 0, id: NO_ID },
  ]
}
