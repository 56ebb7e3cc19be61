import { koffi } from './foreign.js'

/** A user as the system knows them (passwd(5) or whatever else the machine asks). */
export interface Account {
  readonly name: string
  readonly uid: number
  /** Of the first group. */
  readonly gid: number
  readonly home: string
}

interface Functions {
  getpwnam(name: string): unknown
  getpwuid(uid: number): unknown
  getgrnam(name: string): unknown
}

interface Passwd {
  readonly pw_name: string
  readonly pw_uid: number
  readonly pw_gid: number
  readonly pw_dir: string
}

let loaded:
  | { functions: Functions; passwd: (pointer: unknown) => Passwd; gid: (pointer: unknown) => number }
  | undefined

function native() {
  if (loaded !== undefined) return loaded
  const { load, struct, pointer, decode } = koffi()
  const library = load(null)
  // The same in every C library of 64 bit Linux.
  const passwd = struct({
    pw_name: 'str',
    pw_passwd: 'str',
    pw_uid: 'uint32_t',
    pw_gid: 'uint32_t',
    pw_gecos: 'str',
    pw_dir: 'str',
    pw_shell: 'str',
  })
  const group = struct({ gr_name: 'str', gr_passwd: 'str', gr_gid: 'uint32_t', gr_mem: 'void *' })
  loaded = {
    functions: {
      getpwnam: library.func('getpwnam', pointer(passwd), ['str']),
      getpwuid: library.func('getpwuid', pointer(passwd), ['uint32_t']),
      getgrnam: library.func('getgrnam', pointer(group), ['str']),
    },
    passwd: at => decode(at, passwd) as Passwd,
    gid: at => (decode(at, group) as { gr_gid: number }).gr_gid,
  }
  return loaded
}

/** The account of a name or number; undefined if the system knows none. Throws NativeUnavailableError. */
export function findAccount(user: string): Account | undefined {
  const { functions, passwd } = native()
  const id = idOf(user)
  const found = id === undefined ? functions.getpwnam(user) : functions.getpwuid(id)
  if (found === null) return undefined
  const { pw_name: name, pw_uid: uid, pw_gid: gid, pw_dir: home } = passwd(found)
  return { name, uid, gid, home }
}

/** The number of a group that is given by name or number; undefined if the system knows no such name. */
export function findGroup(group: string): number | undefined {
  const id = idOf(group)
  if (id !== undefined) return id
  const { functions, gid } = native()
  const found = functions.getgrnam(group)
  return found === null ? undefined : gid(found)
}

function idOf(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}
