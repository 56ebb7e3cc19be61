import { ID_BYTES, InvalidInputError } from '@hotpath/model'
import type { ForgetReply, ForgetRequest } from '@hotpath/protocol'
import { nodeOfHitId } from '../query/hit-id.js'
import type { HotKeeper } from './hot-keeper.js'
import { type Index, nodesAtPath, nodesOfId, volumesByKey } from './named-nodes.js'

/**
 * Forgets the opens of a node, or of all. An id is enough for a node that is gone. Resolves when the disk has nothing of them
 * any more.
 * @throws InvalidInputError for a request that names not exactly one of id, path and all
 */
export async function forgetOpens(
  { id, path, all }: ForgetRequest,
  index: Index,
  keeper: Pick<HotKeeper, 'forget'>,
): Promise<ForgetReply> {
  const named = Number(id.length > 0) + Number(path.length > 0) + Number(all)
  if (named !== 1 || (id.length > 0 && id.length !== ID_BYTES)) {
    throw new InvalidInputError('forget', `one of an id of ${ID_BYTES} bytes, a path and all`, `${named} of them`)
  }
  if (all) return { forgotten: await keeper.forget('all'), known: true }
  if (path.length > 0) {
    const nodes = nodesAtPath(path, index)
    return { forgotten: await keeper.forget(nodes), known: nodes.length > 0 }
  }
  const forgotten = await keeper.forget([nodeOfHitId(id)])
  return { forgotten, known: forgotten > 0 || nodesOfId(id, index, volumesByKey(index)).length > 0 }
}
