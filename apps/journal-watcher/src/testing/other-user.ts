import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Somebody who owns nothing. */
export const OTHER_UID = 65_534
const SCRIPT = new URL('../../dist/testing/operations-process.js', import.meta.url)

/** Why programs of this repository cannot be run as another user; empty if they can. */
export function otherUserProblem(): string {
  if (process.getuid?.() !== 0) return 'only root can start processes of other users'
  for (let path = dirname(fileURLToPath(SCRIPT)); path !== '/'; path = dirname(path))
    if ((statSync(path).mode & 0o005) !== 0o005) return `${path} is closed to other users`
  return ''
}

/** Another user, who does random things in directories that are given to them. */
export class OtherUser {
  readonly #child: ChildProcess

  constructor(root: string, outside: string, seed: number) {
    for (const path of [root, outside]) chownSync(path, OTHER_UID, OTHER_UID)
    this.#child = fork(SCRIPT, [root, outside, String(seed)], { uid: OTHER_UID, gid: OTHER_UID, execArgv: [] })
  }

  /** Returns what was done when it is done. */
  async does(count: number): Promise<string[]> {
    const done = once(this.#child, 'message')
    this.#child.send(count)
    const [history] = await done
    return history as string[]
  }

  async close(): Promise<void> {
    const gone = once(this.#child, 'exit')
    this.#child.disconnect()
    await gone
  }
}
