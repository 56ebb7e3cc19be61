import { InvalidInputError } from '@hotpath/model'

/** Depth-first preorder of directories. */
export interface TreeOrder {
  /** Slot (input position) of each row. */
  readonly slotOfRow: Uint32Array
  readonly rowOfSlot: Uint32Array
  readonly parents: Uint32Array
  readonly ends: Uint32Array
}

/**
 * Orders directories depth-first, siblings by `rank` (dictionary order of their names).
 * @param parentSlot slot of the parent; the root has itself
 * @throws InvalidInputError if the rows are not one tree (no root, two roots, a cycle)
 * Cost: two counting sorts and one walk.
 */
export function orderTree(parentSlot: Uint32Array, rank: Uint32Array, rankCount: number): TreeOrder {
  const count = parentSlot.length
  let root = -1
  for (let slot = 0; slot < count; slot++) {
    if (parentSlot[slot] === slot) {
      if (root >= 0) throw new InvalidInputError('directory rows', 'one root', 'two roots')
      root = slot
    }
  }
  if (root < 0) throw new InvalidInputError('directory rows', 'one root', 'none')

  const byRank = countingOrder(rank, rankCount)
  // Children of each slot, in rank order: stable counting sort by parent.
  const childStarts = new Uint32Array(count + 1)
  for (let slot = 0; slot < count; slot++) if (slot !== root) childStarts[parentSlot[slot] + 1]++
  for (let slot = 0; slot < count; slot++) childStarts[slot + 1] += childStarts[slot]
  const children = new Uint32Array(count)
  const next = childStarts.slice(0, count)
  for (let i = 0; i < count; i++) {
    const slot = byRank[i]
    if (slot !== root) children[next[parentSlot[slot]]++] = slot
  }

  const slotOfRow = new Uint32Array(count)
  const rowOfSlot = new Uint32Array(count)
  const parents = new Uint32Array(count)
  const ends = new Uint32Array(count)
  const stack = new Uint32Array(count)
  const cursor = childStarts.slice(0, count)
  let depth = 0
  let rows = 0
  stack[0] = root
  slotOfRow[0] = root
  rows = 1
  while (depth >= 0) {
    const slot = stack[depth]
    if (cursor[slot] < childStarts[slot + 1]) {
      const child = children[cursor[slot]++]
      rowOfSlot[child] = rows
      slotOfRow[rows] = child
      parents[rows] = rowOfSlot[slot]
      rows++
      stack[++depth] = child
    } else {
      ends[rowOfSlot[slot]] = rows
      depth--
    }
  }
  if (rows !== count) throw new InvalidInputError('directory rows', 'a tree', `${count - rows} rows in a cycle`)
  return { slotOfRow, rowOfSlot, parents, ends }
}

/** Positions ordered by `values` (0 … valueCount - 1), stable. */
export function countingOrder(values: Uint32Array, valueCount: number): Uint32Array {
  const starts = new Uint32Array(valueCount + 1)
  for (let i = 0; i < values.length; i++) starts[values[i] + 1]++
  for (let v = 0; v < valueCount; v++) starts[v + 1] += starts[v]
  const order = new Uint32Array(values.length)
  for (let i = 0; i < values.length; i++) order[starts[values[i]]++] = i
  return order
}
