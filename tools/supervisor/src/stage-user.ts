import { chownSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UnavailableError } from '@hotpath/model'
import { type Account, becomeUser, Capability, findAccount, findGroup } from '@hotpath/platform'
import { ConfigError } from '@hotpath/service'

/** Who runs the stages where that is not who starts the system. */
export interface StageUser {
  readonly account: Account
  readonly gid: number
}

const FLAG = '--user'

/** Reads `NAME[:GROUP]`. Throws ConfigError: there is no such user or group, or we may not become them. */
export function parseStageUser(text: string): StageUser {
  const refuse = (message: string) => new ConfigError([{ where: FLAG, message }])
  if (process.getuid?.() !== 0) throw refuse('only root can run the system as another user')
  const [name = '', group, ...rest] = text.split(':')
  if (name === '' || group === '' || rest.length > 0)
    throw refuse(`expected NAME or NAME:GROUP, found ${JSON.stringify(text)}`)
  const account = findAccount(name)
  if (account === undefined) throw refuse(`there is no user ${JSON.stringify(name)}`)
  if (account.uid === 0) throw refuse('root is who starts the system: leave the flag out')
  const gid = group === undefined ? account.gid : findGroup(group)
  if (gid === undefined) throw refuse(`there is no group ${JSON.stringify(group)}`)
  return { account, gid }
}

/** What programs find out about their user, as after a login: nothing of the private directories of root is left. */
export function takeEnvironmentOf({ account }: StageUser, environment: NodeJS.ProcessEnv = process.env): void {
  for (const name of Object.keys(environment)) if (name.startsWith('XDG_')) delete environment[name]
  Object.assign(environment, { HOME: account.home, USER: account.name, LOGNAME: account.name })
}

/**
 * Makes the data directory where only root can, and from then on is this user, for good, with CAP_SYS_ADMIN alone: file systems are
 * marked with it. Whatever the system writes is the user's then, and nothing is written with more rights than theirs.
 *
 * Throws UnavailableError if the data directory belongs to somebody else.
 */
export function becomeStageUser({ account, gid }: StageUser, dataDir: string): void {
  makeDataDirectory(dataDir, account.uid, gid)
  requireOwner(dataDir, account)
  becomeUser(account, gid, [Capability.sysAdmin])
}

/** Whatever the user can make himself is left to him: a name in his own directory may be a link by the time we look. */
function makeDataDirectory(path: string, uid: number, gid: number): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return
  const above = statSync(dirname(path), { throwIfNoEntry: false })
  if (above === undefined || above.uid !== 0 || (above.mode & 0o022) !== 0) return
  mkdirSync(path, { mode: 0o700 })
  chownSync(path, uid, gid)
}

/** An index that root has made before cannot be written: better said now, and for all of it. */
function requireOwner(dataDir: string, { name, uid }: Account): void {
  for (const path of withContents(dataDir, 2)) {
    const owner = lstatSync(path, { throwIfNoEntry: false })?.uid
    if (owner !== undefined && owner !== uid)
      throw new UnavailableError(
        `${JSON.stringify(path)} belongs to user ${owner}, not to ${name}: chown -R ${name} ${JSON.stringify(dataDir)}`,
      )
  }
}

function* withContents(path: string, depth: number): Generator<string> {
  yield path
  const isDirectory = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  if (depth > 0 && isDirectory) for (const name of readdirSync(path)) yield* withContents(join(path, name), depth - 1)
}
