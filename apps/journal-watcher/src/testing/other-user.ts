import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { chownSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { OTHER_UID, otherUserProblem } from '@hotpath/testing'

const SCRIPT = new URL('../../dist/testing/operations-process.js', import.meta.url)

/** Why there is no other user here; empty if there is one. */
export const OTHER_USER_PROBLEM = otherUserProblem(fileURLToPath(SCRIPT))

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
