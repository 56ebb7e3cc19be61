import { chmodSync, lstatSync, rmSync } from 'node:fs'

const IPC = 'ipc://'

/**
 * Makes the file of a bound ipc socket its owner's alone. Returns what removes it: libzmq leaves it behind, and a file
 * that a successor has put in its place meanwhile is not ours to remove.
 */
export function claimSocketFile(endpoint: string): () => void {
  if (!endpoint.startsWith(IPC)) return () => {}
  const path = endpoint.slice(IPC.length)
  chmodSync(path, 0o600)
  const { ino, dev } = lstatSync(path)
  return () => {
    const now = lstatSync(path, { throwIfNoEntry: false })
    if (now?.ino === ino && now.dev === dev) rmSync(path, { force: true })
  }
}
