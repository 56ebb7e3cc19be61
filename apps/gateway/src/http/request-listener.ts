import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { type AppParts, createApp } from './app.js'

export type RequestListener = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** Answers admitted requests. A module of its own: it and what it imports are loaded when they are needed. */
export function createListener(parts: AppParts): RequestListener {
  const listener = getRequestListener(createApp(parts).fetch, { overrideGlobalObjects: false, hostname: '127.0.0.1' })
  return async (request, response) => {
    await listener(request, response)
  }
}
