import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isLockHeld } from '@hotpath/client'
import {
  DealerPeer,
  type HealthCheck,
  type HealthState,
  type Metric,
  type SocketName,
  socketEndpoints,
  TRANSPORT,
} from '@hotpath/protocol'
import { type Config, stageDirectories } from '@hotpath/service'

/** What a process of the system says of itself. */
export interface StageReport {
  readonly stage: ReportedStage
  readonly pid: number
  readonly state: HealthState
  readonly uptimeMs: number
  readonly checks: readonly HealthCheck[]
  readonly metrics: readonly Metric[]
}

export const REPORTED_STAGES = ['supervisor', 'scanner', 'watcher', 'store', 'gateway'] as const
export type ReportedStage = (typeof REPORTED_STAGES)[number]

const CONTROL_SOCKETS: Readonly<Record<ReportedStage, SocketName>> = {
  supervisor: 'supervisor-control',
  scanner: 'scanner-control',
  watcher: 'watcher-control',
  store: 'store-control',
  gateway: 'gateway-control',
}

const ANSWER_TIMEOUT_MS = 1_500

/** Asks every process that has a control socket, all at once. Those that do not answer are left out. */
export async function stageReports({ dataDir }: Pick<Config, 'dataDir'>): Promise<StageReport[]> {
  const { runtime } = stageDirectories(dataDir)
  const isThere = (socket: SocketName) =>
    TRANSPORT === 'ipc' ? existsSync(join(runtime, `${socket}.sock`)) : isLockHeld(dataDir)
  const stages = REPORTED_STAGES.filter(stage => isThere(CONTROL_SOCKETS[stage]))
  // Keys are made by who runs.
  if (stages.length === 0) return []
  const endpoints = socketEndpoints(runtime)
  const reports = await Promise.all(stages.map(stage => reportOf(stage, endpoints[CONTROL_SOCKETS[stage]])))
  return reports.filter(report => report !== undefined)
}

async function reportOf(stage: ReportedStage, endpoint: string): Promise<StageReport | undefined> {
  const instance = `cli-${randomBytes(8).toString('hex')}`
  const peer = new DealerPeer({ endpoint, identity: { stage: 'client', instance, pid: process.pid } })
  peer.start()
  try {
    const options = { timeoutMs: ANSWER_TIMEOUT_MS }
    const [{ state, pid, uptimeMs, checks }, { metrics }] = await Promise.all([
      peer.request('healthRequest', {}, options),
      peer.request('statsRequest', {}, options),
    ])
    return { stage, pid, state, uptimeMs, checks, metrics }
  } catch {
    return undefined
  } finally {
    await peer.stop()
  }
}
