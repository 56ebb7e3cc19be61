import { MAX_CHECKS, MAX_ID_BYTES, MAX_LABELS, MAX_METRICS, MAX_PROSE_BYTES, MAX_TAP_BYTES } from '../limits.js'
import type * as control from '../messages/control.js'
import type { hotpath } from '../wire.js'
import { bytes, count, double, duration, flag, list, message, prose, text, u32, word } from './field.js'

const id = text(MAX_ID_BYTES)

const check = message<control.HealthCheck, hotpath.v1.HealthCheck.$Properties>({
  name: id,
  ok: flag,
  detail: prose(MAX_PROSE_BYTES),
})

export const healthReply = message<control.HealthReply, hotpath.v1.HealthReply.$Properties>({
  state: word([undefined, 'starting', 'ready', 'degraded', 'stopping']),
  instance: id,
  pid: u32(),
  uptimeMs: duration,
  checks: list(check, MAX_CHECKS),
})

const label = message<control.Label, hotpath.v1.Label.$Properties>({ name: id, value: prose(MAX_PROSE_BYTES) })

const metric = message<control.Metric, hotpath.v1.Metric.$Properties>({
  name: id,
  kind: word([undefined, 'counter', 'gauge']),
  value: double,
  labels: list(label, MAX_LABELS),
})

export const statsReply = message<control.StatsReply, hotpath.v1.StatsReply.$Properties>({
  metrics: list(metric, MAX_METRICS),
})

export const shutdownRequest = message<control.ShutdownRequest, hotpath.v1.ShutdownRequest.$Properties>({
  reason: prose(MAX_PROSE_BYTES),
})

export const tapSwitch = message<control.TapSwitch, hotpath.v1.TapRequest.$Properties>({ on: flag })

export const tapCopy = message<control.TapCopy, hotpath.v1.TapCopy.$Properties>({
  direction: word([undefined, 'in', 'out']),
  endpoint: prose(MAX_PROSE_BYTES),
  peer: id,
  at: duration,
  envelope: bytes(MAX_TAP_BYTES),
  size: count,
  dropped: count,
})
