export type HealthState = 'starting' | 'ready' | 'degraded' | 'stopping'

export interface HealthCheck {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

export interface HealthReply {
  readonly state: HealthState
  readonly instance: string
  readonly pid: number
  readonly uptimeMs: number
  readonly checks: readonly HealthCheck[]
}

export interface Label {
  readonly name: string
  readonly value: string
}

export interface Metric {
  /** Prometheus name with unit: hotpath_wal_bytes. */
  readonly name: string
  readonly kind: 'counter' | 'gauge'
  readonly value: number
  readonly labels: readonly Label[]
}

export interface StatsReply {
  readonly metrics: readonly Metric[]
}

export interface ShutdownRequest {
  readonly reason: string
}

export interface TapSwitch {
  readonly on: boolean
}

export type TapDirection = 'in' | 'out'

export interface TapCopy {
  readonly direction: TapDirection
  /** Socket of the stage. */
  readonly endpoint: string
  /** Instance of the other side; empty while unknown. */
  readonly peer: string
  /** Microseconds of the host's monotonic clock. */
  readonly at: number
  /** The encoded envelope; empty where it is larger than MAX_TAP_BYTES. */
  readonly envelope: Uint8Array
  readonly size: number
  /** Copies dropped since the tap began because the asker was too slow. */
  readonly dropped: number
}
