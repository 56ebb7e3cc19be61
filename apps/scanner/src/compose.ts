import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { type RootSpec, UnavailableError } from '@hotpath/model'
import type { RunningStage, StageContext } from '@hotpath/service'
import { dumpScan } from './session/dump.js'
import type { ScanSource, SourceOptions } from './session/scan-source.js'
import { openSource, Scanner } from './session/scanner.js'

/** Flags that only the scanner has. */
export const SCANNER_FLAGS = {
  once: { type: 'boolean', help: 'end when everything that the store commanded is scanned' },
  dump: { type: 'boolean', help: 'print what would be sent for each root, list and volume, and end; needs no store' },
} as const
export type ScannerFlags = typeof SCANNER_FLAGS

/** Starts the scanner as a stage, or a dump. */
export async function startScanner(context: StageContext<ScannerFlags>, out: Writable): Promise<RunningStage> {
  if (context.extra.dump) return startDump(context, out)
  const { config, endpoints, identity, log, tap, extra } = context
  const scanner = new Scanner({
    endpoint: endpoints['store-ingest'],
    identity,
    dataDir: config.dataDir,
    excludes: config.excludes,
    crossDevices: config.crossDevices,
    threads: config.scanThreads,
    expectsTrees: config.roots.length > 0,
    log,
    tap,
  })
  scanner.start()
  return {
    stop: () => scanner.stop(),
    health: () => scanner.health(),
    stats: () => scanner.stats(),
    ...(extra.once ? { finished: scanner.finishedOnce } : {}),
  }
}

function startDump({ config, log }: StageContext<ScannerFlags>, out: Writable): RunningStage {
  const stopping = new AbortController()
  const roots: RootSpec[] = [
    ...config.roots.map(path => ({ id: `tree:${resolve(path)}`, kind: 'tree' as const, path: resolve(path) })),
    ...config.lists.map(path => ({ id: `list:${resolve(path)}`, kind: 'list' as const, path: resolve(path) })),
    ...[...config.images, ...config.volumes].map(path => ({
      id: `volume:${path}`,
      kind: 'volume' as const,
      path,
    })),
  ]
  const dumpAll = async () => {
    for (const root of roots) {
      const options = {
        excludes: config.excludes,
        excludedDirectories: [config.dataDir],
        crossDevices: config.crossDevices,
        threads: config.scanThreads,
        namesOnly: false,
        streams: config.streams,
        idle: config.idleVolumes,
        signal: stopping.signal,
      }
      await dumpScan(root, openOrFail(root, options), out)
      log.debug('dumped', { root: root.path })
    }
  }
  const finished = dumpAll().catch(error => {
    // Whoever read has seen enough (`| head`).
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error
  })
  return {
    finished,
    async stop() {
      stopping.abort()
      // A failure is reported through `finished`.
      await finished.catch(() => {})
    },
  }
}

/** What a person named and cannot be read is unavailable, not a fault of this program. */
function openOrFail(root: RootSpec, options: SourceOptions): ScanSource {
  try {
    return openSource(root, options)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UnavailableError(`cannot read ${JSON.stringify(root.path)}: ${reason}`, { cause })
  }
}
