import { type AclEntry, AclTag } from './access-list.js'

/** What a process wants to do with a directory. */
export const Want = { read: 4, search: 1 } as const

/** Who asks: the effective user and group of a process, and its supplementary groups. */
export interface Credentials {
  readonly user: number
  /** All groups, the effective one among them. */
  readonly groups: readonly number[]
}

/** Whose a directory is and what its mode allows. */
export interface Owned {
  /** Permission bits, at least the lowest nine. */
  readonly mode: number
  readonly user: number
  readonly group: number
}

/** Root passes every check on directories (CAP_DAC_READ_SEARCH). */
export const SUPERUSER = 0

/**
 * Whether the kernel lets somebody read or search a directory (`acl_permission_check` and `posix_acl_permission` of Linux): the
 * owner has the owner's bits and nothing else; the access list is looked at only if the group bits of the mode, which are its mask,
 * are not all zero; without one the group's bits hold for members of the group, even where others may do more.
 *
 * @param want one of `Want`: read and search are asked apart, because different groups may give them
 * @param acl undefined: there is none
 */
export function mayAccess(
  directory: Owned,
  acl: readonly AclEntry[] | undefined,
  { user, groups }: Credentials,
  want: number,
): boolean {
  const { mode } = directory
  if (user === SUPERUSER) return true
  if (user === directory.user) return ((mode >>> 6) & want) === want
  if (acl !== undefined && (mode & 0o070) !== 0) return aclAllows(acl, directory, { user, groups }, want)
  const bits = groups.includes(directory.group) ? mode >>> 3 : mode
  return (bits & want) === want
}

function aclAllows(acl: readonly AclEntry[], directory: Owned, who: Credentials, want: number): boolean {
  const mask = acl.find(({ tag }) => tag === AclTag.mask)?.permissions ?? 7
  const allows = (permissions: number): boolean => (permissions & want) === want
  let isMember = false
  for (const { tag, permissions, id } of acl) {
    switch (tag) {
      case AclTag.owner:
        break
      case AclTag.user:
        if (id === who.user) return allows(permissions & mask)
        break
      case AclTag.owningGroup:
      case AclTag.group:
        if (!who.groups.includes(tag === AclTag.group ? id : directory.group)) break
        isMember = true
        if (allows(permissions)) return allows(permissions & mask)
        break
      case AclTag.mask:
        break
      case AclTag.other:
        return !isMember && allows(permissions)
      default:
        return false
    }
  }
  // The kernel takes a list without an entry for others for damaged.
  return false
}

/** Whether somebody may list a directory and look at what is in it. */
export function mayList(directory: Owned, acl: readonly AclEntry[] | undefined, who: Credentials): boolean {
  return mayAccess(directory, acl, who, Want.read) && mayAccess(directory, acl, who, Want.search)
}
