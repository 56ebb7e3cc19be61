import { RequestError } from '@hotpath/client/browser'
import { useEffect, useState } from 'react'
import { isAbort } from '../search/result-pages.js'

export type Answer<T> =
  | { readonly state: 'waiting' }
  | { readonly state: 'there'; readonly value: T }
  /** This gateway does not know the question. */
  | { readonly state: 'unknown' }
  | { readonly state: 'failed'; readonly message: string }

/** Asks when `question` is another, and again from time to time. The answer before is shown meanwhile. */
export function useAnswer<T>(
  question: string,
  ask: (signal: AbortSignal) => Promise<T>,
  againMs = Number.POSITIVE_INFINITY,
): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ state: 'waiting' })
  // biome-ignore lint/correctness/useExhaustiveDependencies: `ask` is another each time, the question says when to ask
  useEffect(() => {
    const stopping = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const run = async () => {
      try {
        const value = await ask(stopping.signal)
        if (!stopping.signal.aborted) setAnswer({ state: 'there', value })
      } catch (error) {
        if (stopping.signal.aborted || isAbort(error)) return
        const isUnknown = error instanceof RequestError && error.status === 404
        setAnswer(isUnknown ? { state: 'unknown' } : { state: 'failed', message: String((error as Error).message) })
        if (isUnknown) return
      }
      if (Number.isFinite(againMs)) timer = setTimeout(run, againMs)
    }
    void run()
    return () => {
      stopping.abort()
      clearTimeout(timer)
    }
  }, [question, againMs])
  return answer
}
