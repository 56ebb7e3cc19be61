/** Pauses between attempts: doubled each time, and scattered, so that many pages do not come back in the same moment. */
export interface BackOff {
  readonly firstMs: number
  readonly mostMs: number
}

export const BACK_OFF: BackOff = { firstMs: 250, mostMs: 10_000 }

/** The pause after `failures` failures in a row (from 1): between half of it and all of it. */
export function pauseMs({ firstMs, mostMs }: BackOff, failures: number, random = Math.random()): number {
  const fullMs = Math.min(mostMs, firstMs * 2 ** Math.min(30, failures - 1))
  return fullMs * (0.5 + random / 2)
}

/** Resolves after the pause; rejects with the signal's reason. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const stopped = (): void => {
      clearTimeout(timer)
      reject(signal!.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stopped)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stopped, { once: true })
  })
}
