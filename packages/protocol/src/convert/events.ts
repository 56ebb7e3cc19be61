import { InvalidInputError } from '@hotpath/model'
import { MAX_CLOCK_BYTES, MAX_ID_BYTES, MAX_PROSE_BYTES } from '../limits.js'
import type * as events from '../messages/events.js'
import type { hotpath } from '../wire.js'
import { count, type FieldCodec, flag, message, prose, text, word } from './field.js'
import { scanProgress } from './ingest.js'
import { fresh } from './query.js'

const id = text(MAX_ID_BYTES)

const changes = message<events.Changes, hotpath.v1.Changes.$Properties>({
  root: id,
  added: count,
  removed: count,
  updated: count,
})

const generation = message<events.Generation, hotpath.v1.Generation.$Properties>({
  root: id,
  epoch: count,
  partial: flag,
})

const freshChange = message<events.FreshChange, hotpath.v1.FreshChange.$Properties>({ root: id, fresh })

const freshInstance = message<events.FreshInstance, hotpath.v1.FreshInstance.$Properties>({
  root: id,
  reason: word([undefined, 'loss', 'downtime', 'damage']),
})

const shutdown = message<events.ShuttingDown, hotpath.v1.ShuttingDown.$Properties>({ reason: prose(MAX_PROSE_BYTES) })

const head = message<Omit<events.Event, 'detail'>, hotpath.v1.Event.$Properties>({
  sequence: count,
  clock: text(MAX_CLOCK_BYTES),
})

function detailToWire(detail: events.EventDetail, what: string): hotpath.v1.Event.$Properties {
  switch (detail.kind) {
    case 'changes':
      return { changes: changes.toWire(detail.changes, `${what}.changes`) ?? null }
    case 'generation':
      return { generation: generation.toWire(detail.generation, `${what}.generation`) ?? null }
    case 'progress':
      return { progress: scanProgress.toWire(detail.progress, `${what}.progress`) ?? null }
    case 'fresh':
      return { fresh: freshChange.toWire(detail.fresh, `${what}.fresh`) ?? null }
    case 'shutdown':
      return { shutdown: shutdown.toWire(detail.shutdown, `${what}.shutdown`) ?? null }
    case 'freshInstance':
      return { freshInstance: freshInstance.toWire(detail.freshInstance, `${what}.freshInstance`) ?? null }
    case 'outdated':
      return { outdated: {} }
    case 'rowsChanged':
      return { rowsChanged: {} }
    case 'beat':
      return { beat: {} }
  }
}

function detailFromWire(wire: hotpath.v1.Event.$Properties, what: string): events.EventDetail {
  if (wire.changes) return { kind: 'changes', changes: changes.fromWire(wire.changes, `${what}.changes`) }
  if (wire.generation)
    return { kind: 'generation', generation: generation.fromWire(wire.generation, `${what}.generation`) }
  if (wire.progress) return { kind: 'progress', progress: scanProgress.fromWire(wire.progress, `${what}.progress`) }
  if (wire.fresh) return { kind: 'fresh', fresh: freshChange.fromWire(wire.fresh, `${what}.fresh`) }
  if (wire.shutdown) return { kind: 'shutdown', shutdown: shutdown.fromWire(wire.shutdown, `${what}.shutdown`) }
  if (wire.freshInstance)
    return { kind: 'freshInstance', freshInstance: freshInstance.fromWire(wire.freshInstance, `${what}.freshInstance`) }
  if (wire.outdated) return { kind: 'outdated' }
  if (wire.rowsChanged) return { kind: 'rowsChanged' }
  if (wire.beat) return { kind: 'beat' }
  throw new InvalidInputError(`${what}.kind`, 'a known kind of event', 'none')
}

export const event: FieldCodec<events.Event, hotpath.v1.Event.$Properties> = {
  toWire: (value, what) => ({ ...head.toWire(value, what), ...detailToWire(value.detail, what) }),
  fromWire: (value, what) => ({ ...head.fromWire(value, what), detail: detailFromWire(value ?? {}, what) }),
}
