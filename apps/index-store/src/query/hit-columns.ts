import { type Hit, joinPath } from '@hotpath/engine'
import { type HitColumns, ID_BYTES } from '@hotpath/protocol'
import { writeHitId } from './hit-id.js'

/** Hits as the columns of a page. */
export function columnsOfHits(hits: readonly Hit[]): HitColumns {
  const count = hits.length
  const ids = new Uint8Array(count * ID_BYTES)
  const idView = new DataView(ids.buffer)
  const pathOffsets = new Uint32Array(count + 1)
  const nameStart = new Uint32Array(count)
  const kind = new Uint8Array(count)
  const size = new Float64Array(count)
  const modified = { seconds: new Float64Array(count), ticks: new Uint32Array(count) }
  const created = { seconds: new Float64Array(count), ticks: new Uint32Array(count) }
  const hot = hits.some(hit => hit.use) ? Float64Array.from(hits, hit => hit.use?.hot ?? 0) : undefined
  const paths: Uint8Array[] = []
  hits.forEach((hit, i) => {
    const path = joinPath(hit.view.childPrefixOf(hit.parentId), hit.name)
    paths.push(path)
    pathOffsets[i + 1] = pathOffsets[i] + path.length
    nameStart[i] = path.length - hit.name.length
    kind[i] = hit.kind
    size[i] = hit.size
    modified.seconds[i] = hit.modified?.seconds ?? Number.NaN
    modified.ticks[i] = hit.modified?.ticks ?? 0
    created.seconds[i] = hit.created?.seconds ?? Number.NaN
    created.ticks[i] = hit.created?.ticks ?? 0
    writeHitId(idView, i * ID_BYTES, {
      volume: hit.view.volume,
      ref: hit.facts.ref,
      parentRef: hit.view.refOf(hit.parentId),
      path,
      name: hit.name,
    })
  })
  const bytes = new Uint8Array(pathOffsets[count])
  paths.forEach((path, i) => {
    bytes.set(path, pathOffsets[i])
  })
  return { count, ids, pathOffsets, paths: bytes, nameStart, kind, size, modified, created, hot }
}

/** Buffers that can be handed to another thread instead of being copied. */
export function transferablesOf(rows: HitColumns): ArrayBuffer[] {
  const arrays: (Uint8Array | Uint32Array | Float64Array)[] = [
    rows.ids,
    rows.pathOffsets,
    rows.paths,
    rows.nameStart,
    rows.kind,
    rows.size,
  ]
  if (rows.hot) arrays.push(rows.hot)
  for (const column of [rows.modified, rows.created]) if (column) arrays.push(column.seconds, column.ticks)
  return arrays.map(array => array.buffer).filter(buffer => buffer instanceof ArrayBuffer)
}
