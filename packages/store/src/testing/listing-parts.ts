import { compareNames } from '@hotpath/index-format'
import { Op } from '@hotpath/model'
import type { PlainChange, TreeModel, TreeNode } from '@hotpath/testing'

const bytes = (name: string) => new Uint8Array(Buffer.from(name))

/** What a watcher sends of a directory in parts: each is made when it is asked for, of what is there then. */
export function* partsOf(tree: TreeModel, directory: TreeNode, partNames: number): Generator<PlainChange[]> {
  const began = tree.now()
  const parentRef = tree.refOf(directory)
  const sorted = [...(directory.children?.keys() ?? [])].sort((a, b) => compareNames(bytes(a), bytes(b)))
  const bounds = ['', ...sorted.filter((_, i) => i > 0 && i % partNames === 0), '']
  for (let i = 1; i < bounds.length && tree.isInTree(directory); i++) {
    const [from, before] = [bounds[i - 1], bounds[i]]
    const changes: PlainChange[] = []
    for (const [name, child] of directory.children ?? []) {
      if (compareNames(bytes(name), bytes(from)) < 0) continue
      if (before !== '' && compareNames(bytes(name), bytes(before)) >= 0) continue
      changes.push({ op: Op.present, parentRef, name, row: tree.rowOf(child), observed: tree.now() })
    }
    yield [
      ...changes,
      { op: Op.listedFrom, parentRef, name: from, observed: began },
      { op: Op.listedBefore, parentRef, name: before, observed: began },
    ]
  }
}
