import { countingOrder } from './tree-order.js'

/** Files by (directory, name), the last of equal ones kept. */
export function orderFiles(dir: Uint32Array, dirCount: number, name: Uint32Array, nameCount: number): Uint32Array {
  const byName = countingOrder(name, nameCount)
  const dirOfByName = new Uint32Array(byName.length)
  for (let i = 0; i < byName.length; i++) dirOfByName[i] = dir[byName[i]]
  const byDir = countingOrder(dirOfByName, dirCount)
  let kept = 0
  for (let i = 0; i < byDir.length; i++) {
    const file = byName[byDir[i]]
    if (kept > 0 && dir[byDir[kept - 1]] === dir[file] && name[byDir[kept - 1]] === name[file]) kept--
    byDir[kept++] = file
  }
  return byDir.subarray(0, kept)
}
