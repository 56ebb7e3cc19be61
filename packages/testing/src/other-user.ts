import { statSync } from 'node:fs'
import { dirname } from 'node:path'

/** Somebody who owns nothing: `nobody` of most systems. */
export const OTHER_UID = 65_534

/** Why a program cannot be run as another user; empty if it can. @param program its path */
export function otherUserProblem(program: string): string {
  if (process.getuid?.() !== 0) return 'only root can start processes of other users'
  for (let path = dirname(program); path !== '/'; path = dirname(path))
    if ((statSync(path).mode & 0o005) !== 0o005) return `${path} is closed to other users`
  return ''
}
