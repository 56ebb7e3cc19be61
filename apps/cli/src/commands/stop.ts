import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { isLockHeld } from '@hotpath/client'
import { UnavailableError } from '@hotpath/model'
import { DealerPeer, socketEndpoints } from '@hotpath/protocol'
import { stageDirectories } from '@hotpath/service'
import { type CommandContext, CommandError, CommandExit, type DataFlags, note } from '../context.js'

const ANSWER_TIMEOUT_MS = 5_000
/** A supervisor gives its stages 12 s each, in three groups. */
const STOP_TIMEOUT_MS = 40_000
const POLL_MS = 20

/** `hotpath stop`: stops the system of a data directory, and returns when it has ended. Returns 1 if none runs. */
export async function stop(flags: DataFlags, context: CommandContext): Promise<number> {
  const { dataDir } = await context.configure(flags.data)
  if (!isLockHeld(dataDir)) {
    note(context, `nothing runs for ${JSON.stringify(dataDir)}`)
    return CommandExit.nothingFound
  }
  const instance = `cli-${randomBytes(8).toString('hex')}`
  const endpoint = socketEndpoints(stageDirectories(dataDir).runtime)['supervisor-control']
  const peer = new DealerPeer({ endpoint, identity: { stage: 'client', instance, pid: process.pid } })
  peer.start()
  try {
    await peer.request('shutdownRequest', { reason: 'hotpath stop' }, { timeoutMs: ANSWER_TIMEOUT_MS })
  } catch (error) {
    // It may have been ending already.
    if (!(error instanceof UnavailableError) || isLockHeld(dataDir)) throw error
  } finally {
    await peer.stop()
  }
  const deadlineAt = performance.now() + STOP_TIMEOUT_MS
  while (isLockHeld(dataDir)) {
    if (performance.now() > deadlineAt) throw new CommandError(`it has not ended within ${STOP_TIMEOUT_MS / 1_000} s`)
    await sleep(POLL_MS)
  }
  return CommandExit.found
}
